/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields of NDJSON objects. What is not known is left out. */
#ifndef SINK_NDJSON_FIELDS_H
#define SINK_NDJSON_FIELDS_H

#include "base/json.h"
#include "engine/finding.h"

void ndjson_time(struct json *j, const char *key, uint64_t wall_ns);
void ndjson_endpoint(struct json *j, const char *key, const struct w5_addr *a, uint16_t port);
void ndjson_known(struct json *j, const char *key, uint64_t val);	 /* not 0 */
void ndjson_known_str(struct json *j, const char *key, const char *val); /* not "" */
void ndjson_known_span(struct json *j, const char *key, uint64_t from_ns, uint64_t to_ns);

/* The object of one finding; pcap: file with its packets, or NULL. */
void ndjson_finding(struct json *j, const struct finding *f, const char *pcap);

#endif
