/* SPDX-License-Identifier: BSD-2-Clause */
/* See parse.h. */
#include "base/parse.h"

#include <errno.h>
#include <string.h>

int parse_digits(const char *s, const char *end, uint64_t *out)
{
	uint64_t v = 0;

	if (s == end)
		return -EINVAL;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return -EINVAL;
	}
	*out = v;
	return 0;
}

int parse_bytes(const char *s, uint64_t *out)
{
	static const char units[] = "KMGkmg";
	size_t len = strlen(s);
	const char *unit = len ? strchr(units, s[len - 1]) : NULL;
	uint64_t v, mul = unit ? 1ull << (10 * ((unit - units) % 3 + 1)) : 1;

	if (parse_digits(s, s + len - (unit ? 1 : 0), &v) || __builtin_mul_overflow(v, mul, &v))
		return -EINVAL;
	*out = v;
	return 0;
}

/* Not strtod(): that obeys the locale, and rounds. */
int parse_seconds(const char *s, uint64_t *ns)
{
	const char *dot = strchr(s, '.');
	const char *end = dot ? dot : s + strlen(s);
	uint64_t sec = 0, frac = 0, v;

	if ((end > s || !dot) && parse_digits(s, end, &sec))
		return -EINVAL;
	if (dot) {
		size_t digits = strlen(dot + 1);

		if (digits > 9 || parse_digits(dot + 1, dot + 1 + digits, &frac))
			return -EINVAL;
		for (; digits < 9; digits++)
			frac *= 10;
	}
	if (__builtin_mul_overflow(sec, 1000000000ull, &v) || __builtin_add_overflow(v, frac, &v))
		return -EINVAL;
	*ns = v;
	return 0;
}

int parse_pair(const char *s, uint64_t out[2])
{
	const char *x = strchr(s, 'x');
	uint64_t pair[2];

	if (!x || parse_digits(s, x, &pair[0]) || parse_digits(x + 1, s + strlen(s), &pair[1]))
		return -EINVAL;
	memcpy(out, pair, sizeof(pair));
	return 0;
}
