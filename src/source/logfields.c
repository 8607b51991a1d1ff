/* SPDX-License-Identifier: BSD-2-Clause */
/* The directives of each format language. */
#include <ctype.h>
#include <string.h>

#include "base/util.h"
#include "source/logfmt_impl.h"

struct word {
	const char *name;
	enum log_field field;
};

static const struct word nginx_words[] = {
	{ "msec", LOG_EPOCH },
	{ "time_iso8601", LOG_ISO },
	{ "time_local", LOG_CLF },
	{ "request", LOG_REQUEST },
	{ "request_method", LOG_METHOD },
	{ "uri", LOG_PATH },
	{ "document_uri", LOG_PATH },
	{ "request_uri", LOG_TARGET },
	{ "args", LOG_QUERY },
	{ "query_string", LOG_QUERY },
	{ "status", LOG_STATUS },
	{ "upstream_addr", LOG_UP_ADDR },
	{ "upstream_status", LOG_UP_STATUS },
	{ "upstream_connect_time", LOG_UP_CONNECT },
	{ "upstream_response_time", LOG_UP_TIME },
	{ "request_time", LOG_DUR_S },
	{ "pid", LOG_PID },
	{ "remote_addr", LOG_CLIENT },
	{ "remote_port", LOG_CPORT },
	{ "host", LOG_HOST },
	{ "http_host", LOG_HOST },
	{ "request_id", LOG_ID },
	{ "http_x_request_id", LOG_ID },
};

/* Directives of one letter; those in {} follow below. */
static const struct word apache_words[] = {
	{ "a", LOG_CLIENT }, { "h", LOG_CLIENT }, { "t", LOG_CLF },   { "r", LOG_REQUEST },
	{ "m", LOG_METHOD }, { "U", LOG_PATH },	  { "q", LOG_QUERY }, { "s", LOG_STATUS_FIRST },
	{ "D", LOG_DUR_US }, { "T", LOG_DUR_S },  { "P", LOG_PID },
};

static const struct word apache_braced[] = {
	{ "sec}t", LOG_EPOCH },
	{ "msec}t", LOG_EPOCH_MS },
	{ "usec}t", LOG_EPOCH_US },
	{ "msec_frac}t", LOG_FRAC_MS },
	{ "usec_frac}t", LOG_FRAC_US },
	{ "s}T", LOG_DUR_S },
	{ "ms}T", LOG_DUR_MS },
	{ "us}T", LOG_DUR_US },
	{ "c}a", LOG_CLIENT },
	{ "c}h", LOG_CLIENT },
	{ "remote}p", LOG_CPORT },
	{ "pid}P", LOG_PID },
	{ "Host}i", LOG_HOST },
	{ "X-Request-Id}i", LOG_ID },
	{ "BALANCER_WORKER_NAME}e", LOG_UP_URL },
};

static const struct word haproxy_words[] = {
	{ "t", LOG_HAP },
	{ "tr", LOG_HAP_REQ },
	{ "trg", LOG_CLF },
	{ "trl", LOG_CLF },
	{ "T", LOG_CLF },
	{ "Tl", LOG_CLF },
	{ "Ts", LOG_EPOCH },
	{ "ms", LOG_FRAC_MS },
	{ "ci", LOG_CLIENT },
	{ "cp", LOG_CPORT },
	{ "r", LOG_REQUEST },
	{ "HM", LOG_METHOD },
	{ "HU", LOG_TARGET },
	{ "HP", LOG_PATH },
	{ "HQ", LOG_QUERY },
	{ "ST", LOG_STATUS },
	{ "Ta", LOG_DUR_MS },
	{ "Tt", LOG_TOTAL_MS },
	{ "Tc", LOG_UP_CONNECT_MS },
	{ "Tr", LOG_UP_TIME_MS },
	{ "si", LOG_UP_IP },
	{ "sp", LOG_UP_PORT },
	{ "ts", LOG_CODE },
	{ "tsc", LOG_CODE },
	{ "pid", LOG_PID },
	{ "ID", LOG_ID },
	{ "hr", LOG_GROUP },
	{ "hs", LOG_GROUP },
	{ "hrl", LOG_GROUP },
	{ "hsl", LOG_GROUP },
	{ "B", LOG_SKIP },
	{ "CC", LOG_SKIP },
	{ "CS", LOG_SKIP },
	{ "H", LOG_SKIP },
	{ "HPO", LOG_PATH },
	{ "HV", LOG_SKIP },
	{ "TR", LOG_SKIP },
	{ "Td", LOG_SKIP },
	{ "Th", LOG_SKIP },
	{ "Ti", LOG_SKIP },
	{ "Tq", LOG_SKIP },
	{ "Tu", LOG_SKIP },
	{ "Tw", LOG_SKIP },
	{ "U", LOG_SKIP },
	{ "ac", LOG_SKIP },
	{ "b", LOG_SKIP },
	{ "bc", LOG_SKIP },
	{ "bi", LOG_SKIP },
	{ "bp", LOG_SKIP },
	{ "bq", LOG_SKIP },
	{ "f", LOG_SKIP },
	{ "fc", LOG_SKIP },
	{ "fi", LOG_SKIP },
	{ "fp", LOG_SKIP },
	{ "ft", LOG_SKIP },
	{ "lc", LOG_SKIP },
	{ "o", LOG_SKIP },
	{ "rc", LOG_RETRIES },
	{ "rt", LOG_SKIP },
	{ "s", LOG_SKIP },
	{ "sc", LOG_SKIP },
	{ "sq", LOG_SKIP },
	{ "sslc", LOG_SKIP },
	{ "sslv", LOG_SKIP },
	{ "Tsl", LOG_SKIP },
};

static bool word_is(const struct word *w, const char *s, size_t len)
{
	return strlen(w->name) == len && !strncasecmp(w->name, s, len);
}

/* $name or ${name} */
static struct log_directive nginx_at(const char *s)
{
	bool braced = s[1] == '{';
	const char *name = s + 1 + braced;
	struct log_directive d = { .field = LOG_SKIP };
	size_t n = 0;

	if (s[0] != '$')
		return d;
	while (isalnum((unsigned char)name[n]) || name[n] == '_')
		n++;
	if (!n || (braced && name[n] != '}'))
		return d;
	d.used = 1 + n + (braced ? 2 : 0);
	d.ends = true;
	for (size_t i = 0; i < ARRAY_SIZE(nginx_words); i++) {
		if (word_is(&nginx_words[i], name, n))
			d.field = nginx_words[i].field;
	}
	return d;
}

/* %{FORMAT}t with a format of strftime other than seconds is not read. */
static enum log_field apache_braced_field(const char *name, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(apache_braced); i++) {
		if (word_is(&apache_braced[i], name, len))
			return apache_braced[i].field;
	}
	return LOG_SKIP;
}

/* %[conditions][<>][{name}]letter, or ^ti, ^to behind {} */
static struct log_directive apache_at(const char *s)
{
	struct log_directive d = { .field = LOG_SKIP };
	const char *p = s + 1, *name = NULL, *close;
	bool final = false;

	if (s[0] != '%')
		return d;
	while (isdigit((unsigned char)*p) || *p == ',' || *p == '!')
		p++;
	for (; *p == '<' || *p == '>'; p++)
		final = *p == '>';
	if (*p == '{') {
		close = strchr(p, '}');
		if (!close)
			return d;
		name = p + 1;
		p = close + 1;
	}
	if (*p == '^')
		p++;
	if (!isalpha((unsigned char)*p))
		return d;
	d.used = (size_t)(p + 1 - s) + (p[-1] == '^' && p[1]);
	if (name) {
		if (!strncmp(name, "begin:", 6))
			name += 6;
		else if (!strncmp(name, "end:", 4)) {
			name += 4;
			d.ends = true;
		}
		d.field = apache_braced_field(name, (size_t)(p + 1 - name));
		return d;
	}
	for (size_t i = 0; i < ARRAY_SIZE(apache_words); i++) {
		if (apache_words[i].name[0] == *p)
			d.field = apache_words[i].field;
	}
	if (d.field == LOG_STATUS_FIRST && final)
		d.field = LOG_STATUS;
	if (d.field == LOG_CLF) {
		d.open = '[';
		d.close = ']';
	}
	return d;
}

/* %name, %{flags}name, %[expression], %(name)... */
static struct log_directive haproxy_at(const char *s)
{
	struct log_directive d = { .field = LOG_SKIP };
	const char *p = s + 1, *close = NULL;
	size_t best = 0;

	if (s[0] != '%')
		return d;
	if (*p == '(') {
		close = strchr(p, ')');
		p = close ? close + 1 : p;
	}
	if (*p == '{') {
		close = strchr(p, '}');
		if (!close)
			return d;
		for (const char *q = p; q + 1 < close; q++) {
			if (q[0] == '+' && q[1] == 'Q')
				d.open = d.close = '"';
		}
		p = close + 1;
	}
	if (*p == '[') {
		int depth = 0;

		for (close = p; *close; close++) {
			depth += (*close == '[') - (*close == ']');
			if (!depth)
				break;
		}
		if (*close)
			d.used = (size_t)(close + 1 - s);
		return d;
	}
	for (size_t i = 0; i < ARRAY_SIZE(haproxy_words); i++) {
		size_t n = strlen(haproxy_words[i].name);

		if (n > best && !strncmp(haproxy_words[i].name, p, n)) {
			best = n;
			d.field = haproxy_words[i].field;
		}
	}
	d.used = best ? (size_t)(p - s) + best : 0;
	return d;
}

struct log_directive log_directive_at(enum w5_log_kind kind, const char *s)
{
	static struct log_directive (*const at[])(const char *) = {
		[W5_LOG_NGINX] = nginx_at,
		[W5_LOG_HAPROXY] = haproxy_at,
		[W5_LOG_APACHE] = apache_at,
	};

	return at[kind](s);
}
