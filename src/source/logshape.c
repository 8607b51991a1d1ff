/* SPDX-License-Identifier: BSD-2-Clause */
/* What the bytes of each field may be. Where a value is not known, "-" or nothing stands. */
#include <string.h>

#include "base/util.h"
#include "source/logfmt_impl.h"
#include "source/logtime.h"

static bool is_any(const char *s, size_t len)
{
	(void)s;
	(void)len;
	return true;
}

static bool is_status(const char *s, size_t len)
{
	size_t i = len && s[0] == '-';

	if (!len || len > 3)
		return false;
	for (; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return true;
}

/* 12, -1, +12, - */
static bool is_number(const char *s, size_t len)
{
	size_t i = len && (s[0] == '-' || s[0] == '+');

	if (len > 20)
		return false;
	for (; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
	}
	return true;
}

static bool is_decimal(const char *s, size_t len)
{
	uint64_t ns;

	return !len || (len == 1 && *s == '-') || logtime_decimal(&ns, NULL, s, len);
}

static bool is_clf(const char *s, size_t len)
{
	struct logtime t;

	return logtime_clf(&t, s, len);
}

static bool is_iso(const char *s, size_t len)
{
	struct logtime t;

	return logtime_iso(&t, s, len);
}

static bool is_hap(const char *s, size_t len)
{
	struct logtime t;

	return logtime_hap(&t, s, len);
}

static bool is_word(const char *s, size_t len)
{
	return !memchr(s, ' ', len) && !memchr(s, '"', len);
}

static bool is_host(const char *s, size_t len)
{
	return is_word(s, len) && !memchr(s, '/', len);
}

static bool is_path(const char *s, size_t len)
{
	return !len || s[0] == '/' || s[0] == '*' || s[0] == '-' || s[0] == '@';
}

static bool is_group(const char *s, size_t len)
{
	return len >= 2 && s[0] == '{' && s[len - 1] == '}';
}

/* "a, b : c": each value for itself. */
static bool each_of_list(const char *s, size_t len, bool (*fits)(const char *s, size_t len))
{
	size_t from = 0;

	for (size_t i = 0; i <= len && len; i++) {
		bool comma = i + 1 < len && s[i] == ',' && s[i + 1] == ' ';
		bool colon = i + 2 < len && s[i] == ' ' && s[i + 1] == ':' && s[i + 2] == ' ';

		if (i < len && !comma && !colon)
			continue;
		if (i == from || !fits(s + from, i - from))
			return false;
		i += comma ? 1 : colon ? 2 : 0;
		from = i + 1;
	}
	return true;
}

static bool is_numbers(const char *s, size_t len)
{
	return each_of_list(s, len, is_decimal);
}

static bool is_addr(const char *s, size_t len)
{
	return is_word(s, len) && s[0] != ':' && s[len - 1] != ',';
}

static bool is_addrs(const char *s, size_t len)
{
	return each_of_list(s, len, is_addr);
}

static bool (*const shapes[])(const char *s, size_t len) = {
	[LOG_SKIP] = is_any,
	[LOG_CLF] = is_clf,
	[LOG_ISO] = is_iso,
	[LOG_HAP] = is_hap,
	[LOG_HAP_REQ] = is_hap,
	[LOG_EPOCH] = is_decimal,
	[LOG_EPOCH_MS] = is_number,
	[LOG_EPOCH_US] = is_number,
	[LOG_FRAC_MS] = is_number,
	[LOG_FRAC_US] = is_number,
	[LOG_REQUEST] = is_any,
	[LOG_METHOD] = is_any,
	[LOG_TARGET] = is_any,
	[LOG_PATH] = is_path,
	[LOG_QUERY] = is_any,
	[LOG_HOST] = is_host,
	[LOG_ID] = is_any,
	[LOG_STATUS] = is_status,
	[LOG_STATUS_FIRST] = is_status,
	[LOG_UP_ADDR] = is_addrs,
	[LOG_UP_STATUS] = is_numbers,
	[LOG_UP_CONNECT] = is_numbers,
	[LOG_UP_TIME] = is_numbers,
	[LOG_UP_CONNECT_MS] = is_number,
	[LOG_UP_TIME_MS] = is_number,
	[LOG_UP_IP] = is_word,
	[LOG_UP_PORT] = is_number,
	[LOG_UP_URL] = is_any,
	[LOG_RETRIES] = is_number,
	[LOG_DUR_S] = is_decimal,
	[LOG_DUR_MS] = is_number,
	[LOG_DUR_US] = is_number,
	[LOG_TOTAL_MS] = is_number,
	[LOG_CLIENT] = is_word,
	[LOG_CPORT] = is_number,
	[LOG_PID] = is_number,
	[LOG_CODE] = is_word,
	[LOG_GROUP] = is_group,
};
_Static_assert(ARRAY_SIZE(shapes) == LOG_FIELD_MAX, "every field has its shape");

bool log_shape_fits(enum log_field field, const char *s, size_t len)
{
	return shapes[field](s, len);
}
