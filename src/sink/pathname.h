/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The endpoint behind a request target: its path with everything folded to {id} that
 * names one thing among many - numbers, dates, UUIDs, hex, long tokens - and without
 * query, fragment and path parameters. Targets of one endpoint give one text.
 *
 *	/api/users/42/orders/2026-11-22?full=1  ->  /api/users/{id}/orders/{id}
 *	/static/app.3f2a9c1b7d.js               ->  /static/app.{id}.js
 *
 * Pure; the bytes are hostile. The text is printable ASCII without '"'.
 */
#ifndef SINK_PATHNAME_H
#define SINK_PATHNAME_H

#include <stddef.h>

#define PATHNAME_MAX 128 /* with NUL; a longer one ends in "..." */

/* out: at least 8 bytes. Its length. */
size_t pathname_fold(char *out, size_t cap, const char *target);

#endif
