/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter language, one for every screen, headless output and replay:
 *
 *	status==502 && cause==keepalive-race && upstream~10.0.3. && path~^/api && ms>500
 *
 * A term is FIELD OP VALUE, FIELD in (VALUE, ...), or a bare word that must occur somewhere
 * (request, cause, client, upstream, gateway; case does not matter). Terms combine with &&,
 * ||, !, and parentheses; && may be left out.
 *
 * `~` looks for its value anywhere in the text, case counts. With one of ^ $ * [ ] ( ) { } | \
 * in it the value is a POSIX extended regular expression, without back-references and bounded
 * in size; any other, also one with . ? or +, is plain text. In an address plain text fits
 * only where a number begins: ~10.0.3. finds 10.0.3.18 and not 110.0.3.18.
 *
 * Pure: expression and finding in, yes or no out.
 */
#ifndef SINK_FILTER_H
#define SINK_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/events.h"
#include "engine/finding.h"

struct filter;

struct filter_error {
	size_t at;     /* byte of the expression, from 0 */
	char text[96]; /* what is wrong there */
};

/* *out changes only on success; an empty expression matches everything. -EINVAL fills
 * *err (may be NULL), -ENOMEM does not. */
int filter_parse(struct filter **out, const char *expr, struct filter_error *err);
void filter_free(struct filter *flt); /* NULL is fine */
/* flt NULL matches everything. */
bool filter_match(const struct filter *flt, const struct finding *f);

/*
 * Rows of other screens. They cannot answer every term (an upstream has no status): such a
 * term is left open, and a row is shown unless the rest says no.
 */
bool filter_match_upstream(const struct filter *flt, const struct w5_addr *ip, uint16_t port);
bool filter_match_event(const struct filter *flt, const struct engine_event *ev);
bool filter_match_client(const struct filter *flt, const struct w5_addr *ip, uint16_t port);

/* The fields, for help and completion: name and what it holds; false past the end. */
bool filter_field(size_t i, const char **name, const char **what);

#endif
