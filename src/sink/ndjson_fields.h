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

/* ---- ndjson_attempt.c ---- */
void ndjson_attempt(struct json *j, const struct finding *f, size_t i);
/* How the conn ended, and its stream: fields of an object that is open. */
void ndjson_end(struct json *j, const struct w5_leg *l);
void ndjson_h2(struct json *j, const struct w5_leg *l);
/* The TLS alert that came in, encrypted or not: W5_ALERT and its number, 0 = none. */
uint16_t ndjson_alert_in(const struct w5_leg *l);

/* The object of one finding; pcap: file with its packets, or NULL. */
void ndjson_finding(struct json *j, const struct finding *f, const char *pcap);

#endif
