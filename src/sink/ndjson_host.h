/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's limits as the object "host" of the stats line. */
#ifndef SINK_NDJSON_HOST_H
#define SINK_NDJSON_HOST_H

#include "base/json.h"
#include "engine/engine.h"

/* Nothing where nothing is known. */
void ndjson_host(struct json *j, const struct engine *e);

#endif
