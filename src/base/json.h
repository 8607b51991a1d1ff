/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streaming JSON writer into a buf: opens, values and closes in the order they appear.
 * key is NULL inside arrays. Keys are ours and not escaped; values are.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct json {
	struct buf *out;
	bool needs_comma;
};

void json_open(struct json *j, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json *j, char bracket);		       /* '}' or ']' */
void json_str(struct json *j, const char *key, const char *val);
void json_uint(struct json *j, const char *key, uint64_t val);
void json_bool(struct json *j, const char *key, bool val);
/* Nanoseconds as milliseconds with microsecond digits: 60004.100 */
void json_ms(struct json *j, const char *key, int64_t ns);

#endif
