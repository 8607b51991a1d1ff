/* SPDX-License-Identifier: BSD-2-Clause */
/* See json.h. */
#include "base/json.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

#define JSON_CHUNK 64 /* input bytes escaped at a time; each becomes at most 6 */

static void json_begin(struct json *j, const char *key)
{
	if (j->needs_comma)
		buf_put(j->out, ",", 1);
	if (key) {
		buf_put(j->out, "\"", 1);
		buf_str(j->out, key);
		buf_put(j->out, "\":", 2);
	}
	j->needs_comma = true;
}

void json_open(struct json *j, const char *key, char bracket)
{
	json_begin(j, key);
	buf_put(j->out, &bracket, 1);
	j->needs_comma = false;
}

void json_close(struct json *j, char bracket)
{
	buf_put(j->out, &bracket, 1);
	j->needs_comma = true;
}

/* A chunk must not end inside a UTF-8 sequence: step back over its bytes, at most 3. */
static size_t chunk_len(const char *s, size_t len)
{
	size_t n = JSON_CHUNK;

	if (len <= JSON_CHUNK)
		return len;
	while (n > JSON_CHUNK - 3 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

void json_str(struct json *j, const char *key, const char *val)
{
	size_t len = strlen(val);

	json_begin(j, key);
	buf_put(j->out, "\"", 1);
	while (len) {
		char text[JSON_CHUNK * 6 + 1];
		size_t n = chunk_len(val, len);

		buf_put(j->out, text, text_json(text, sizeof(text), val, n));
		val += n;
		len -= n;
	}
	buf_put(j->out, "\"", 1);
}

void json_uint(struct json *j, const char *key, uint64_t val)
{
	/* No count comes so far but out of a spoiled trace, and most readers take no more. */
	if (val > INT64_MAX)
		val = INT64_MAX;
	json_begin(j, key);
	buf_printf(j->out, "%" PRIu64, val);
}

void json_bool(struct json *j, const char *key, bool val)
{
	json_begin(j, key);
	buf_str(j->out, val ? "true" : "false");
}

void json_ms(struct json *j, const char *key, int64_t ns)
{
	uint64_t us = (ns < 0 ? -(uint64_t)ns : (uint64_t)ns) / 1000;

	json_begin(j, key);
	buf_printf(j->out, "%s%" PRIu64 ".%03" PRIu64, ns < 0 && us ? "-" : "", us / 1000,
		   us % 1000);
}
