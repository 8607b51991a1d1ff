/* SPDX-License-Identifier: BSD-2-Clause */
/* Caddy's access log: a JSON object per line. Written when the request ended. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "source/logfmt_impl.h"
#include "source/logtime.h"

static struct log_span text_of(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	if (!json_is_string(v))
		return (struct log_span){ 0 };
	return (struct log_span){ .p = json_string_value(v), .len = json_string_length(v) };
}

/* Seconds since the epoch, or a stamp in text. */
static bool moment_of(struct log_moment *m, const json_t *line)
{
	const json_t *ts = json_object_get(line, "ts"), *d = json_object_get(line, "duration");
	struct log_span s = text_of(line, "ts");
	struct logtime t;

	*m = (struct log_moment){ .is_end = true, .precision_us = 1000 };
	if (json_is_number(ts) && json_number_value(ts) > 0 && json_number_value(ts) < 0x1p33) {
		m->wall_ns = (uint64_t)(json_number_value(ts) * 1e9);
		if (json_is_integer(ts))
			m->precision_us = 1000000;
	} else if (s.p && logtime_iso(&t, s.p, s.len)) {
		m->wall_ns = t.wall_ns;
		m->precision_us = t.precision_us;
	} else {
		return false;
	}
	m->has_duration = json_is_number(d) && json_number_value(d) >= 0 &&
			  json_number_value(d) < 3600;
	if (m->has_duration)
		m->duration_us = (uint64_t)(json_number_value(d) * 1e6);
	return true;
}

/* The first value of a header field of the request. */
static struct log_span header_of(const json_t *request, const char *name)
{
	const json_t *all = json_object_get(json_object_get(request, "headers"), name);
	const json_t *v = json_array_get(all, 0);

	if (!json_is_string(v))
		return (struct log_span){ 0 };
	return (struct log_span){ .p = json_string_value(v), .len = json_string_length(v) };
}

static void take_request(struct w5_log *out, const json_t *request)
{
	struct log_head h = { .method = text_of(request, "method"),
			      .target = text_of(request, "uri"),
			      .proto = text_of(request, "proto"),
			      .host = text_of(request, "host"),
			      .id = header_of(request, "X-Request-Id") };
	struct log_span ip = text_of(request, "remote_ip"), port = text_of(request, "remote_port");
	uint64_t n;

	log_set_head(out, &h);
	if (!ip.p)
		ip = text_of(request, "remote_addr"); /* before 2.5: with the port */
	if (ip.p)
		log_set_addr(&out->client, &out->cport, ip.p, ip.len);
	if (port.p && logtime_decimal(&n, NULL, port.p, port.len) && n / 1000000000 <= 65535)
		out->cport = (uint16_t)(n / 1000000000);
}

/* Caddy's other loggers, that of errors among them, may share the file. */
static int read_object(const json_t *line, const struct log_clock *clock, struct w5_log *out)
{
	static const char access[] = "http.log.access";
	const json_t *request = json_object_get(line, "request");
	const json_t *status = json_object_get(line, "status");
	json_int_t n = json_integer_value(status);
	struct log_span logger = text_of(line, "logger");
	struct log_moment m;

	if (!json_is_object(line))
		return -EBADMSG;
	if ((logger.p && strncmp(logger.p, access, sizeof(access) - 1)) || (!logger.p && !request))
		return -ENOMSG;
	if (!json_is_object(request) || !json_is_integer(status) || n < 0 || n > 999)
		return -EBADMSG;
	out->status = (uint16_t)n;
	if (n < 500)
		return 0;
	if (!moment_of(&m, line) || !log_set_times(out, &m, clock))
		return -EBADMSG;
	take_request(out, request);
	return 0;
}

/* Of a healthy line nothing but its status is wanted, and parsing JSON is ten times the work. Quotes
 * inside strings are escaped, so a key that is found once is that key. */
static bool is_healthy(const char *line, size_t len, struct w5_log *out)
{
	static const char key[] = "\"status\":", logger[] = "\"logger\":\"http.log.access";
	const char *end = line + len, *p = memmem(line, len, key, sizeof(key) - 1);

	if (!p || len < 2 || line[0] != '{' || end[-1] != '}' ||
	    !memmem(line, len, logger, sizeof(logger) - 1))
		return false;
	p += sizeof(key) - 1;
	if (end - p < 4 || p[0] < '1' || p[0] > '4' || p[1] < '0' || p[1] > '9' || p[2] < '0' ||
	    p[2] > '9' || (p[3] != ',' && p[3] != '}') ||
	    memmem(p, (size_t)(end - p), key, sizeof(key) - 1))
		return false;
	out->status = (uint16_t)((p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0'));
	return true;
}

int log_json_read(const char *line, size_t len, const struct log_clock *clock, struct w5_log *out)
{
	json_t *v;
	int rc;

	if (is_healthy(line, len, out))
		return 0;
	v = json_loadb(line, len, JSON_DISABLE_EOF_CHECK, NULL);
	rc = v ? read_object(v, clock, out) : -EBADMSG;
	json_decref(v);
	return rc;
}
