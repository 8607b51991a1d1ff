/* SPDX-License-Identifier: BSD-2-Clause */
/* See logtime.h. */
#include "source/logtime.h"

#include <string.h>
#include <time.h>

#include "base/util.h"

/* Exactly n digits. */
static bool number(unsigned int *out, const char *s, size_t n)
{
	*out = 0;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*out = *out * 10 + (unsigned int)(s[i] - '0');
	}
	return true;
}

static bool month(struct tm *tm, const char *s)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++) {
		if (!memcmp(names + (ptrdiff_t)i * 3, s, 3)) {
			tm->tm_mon = i;
			return true;
		}
	}
	return false;
}

/* 12:06:21 */
static bool clock_of_day(struct tm *tm, const char *s)
{
	unsigned int h, m, sec;

	if (s[2] != ':' || s[5] != ':' || !number(&h, s, 2) || !number(&m, s + 3, 2) ||
	    !number(&sec, s + 6, 2) || h > 23 || m > 59 || sec > 60)
		return false;
	tm->tm_hour = (int)h;
	tm->tm_min = (int)m;
	tm->tm_sec = (int)sec;
	return true;
}

/* 22/Nov/2026:12:06:21 */
static bool clf_date(struct tm *tm, const char *s)
{
	unsigned int day, year;

	if (s[2] != '/' || s[6] != '/' || s[11] != ':' || !number(&day, s, 2) ||
	    !number(&year, s + 7, 4) || !month(tm, s + 3) || !day || day > 31 || year < 1971)
		return false;
	tm->tm_mday = (int)day;
	tm->tm_year = (int)year - 1900;
	return clock_of_day(tm, s + 12);
}

/* +0100, +01:00 or Z */
static bool zone(long *offset_s, const char *s, size_t len)
{
	unsigned int h, m;

	*offset_s = 0;
	if (len == 1)
		return *s == 'Z';
	if ((len != 5 && len != 6) || (s[0] != '+' && s[0] != '-') || !number(&h, s + 1, 2) ||
	    (len == 6 && s[3] != ':') || !number(&m, s + len - 2, 2) || h > 14 || m > 59)
		return false;
	*offset_s = (long)(h * 3600 + m * 60) * (s[0] == '-' ? -1 : 1);
	return true;
}

static uint32_t precision_of(unsigned int digits)
{
	uint32_t us = 1000000;

	while (digits-- && us > 1)
		us /= 10;
	return us;
}

/* The decimals behind a second; *used: bytes taken, the point included. */
static uint64_t decimals(const char *s, size_t len, size_t *used, unsigned int *digits)
{
	uint64_t ns = 0, unit = NS_PER_S / 10;
	size_t i = 1;

	*used = 0;
	*digits = 0;
	if (len < 2 || (*s != '.' && *s != ','))
		return 0;
	for (; i < len && s[i] >= '0' && s[i] <= '9'; i++, unit /= 10, ++*digits)
		ns += unit * (uint64_t)(s[i] - '0');
	*used = i > 1 ? i : 0;
	return ns;
}

static bool finish(struct logtime *out, time_t t, long offset_s, uint64_t ns, unsigned int digits)
{
	int64_t sec = (int64_t)t - offset_s;

	if (sec < 0 || sec > 1ll << 33)
		return false;
	*out = (struct logtime){ .wall_ns = (uint64_t)sec * NS_PER_S + ns,
				 .precision_us = precision_of(digits) };
	return true;
}

bool logtime_clf(struct logtime *out, const char *s, size_t len)
{
	struct tm tm = { 0 };
	long offset;

	if (len != 26 || s[20] != ' ' || !clf_date(&tm, s) || !zone(&offset, s + 21, 5))
		return false;
	return finish(out, timegm(&tm), offset, 0, 0);
}

bool logtime_iso(struct logtime *out, const char *s, size_t len)
{
	unsigned int year, mon, day, digits;
	struct tm tm = { 0 };
	size_t used;
	uint64_t ns;
	long offset;

	if (len < 20 || s[4] != '-' || s[7] != '-' || (s[10] != 'T' && s[10] != ' ') ||
	    !number(&year, s, 4) || !number(&mon, s + 5, 2) || !number(&day, s + 8, 2) ||
	    !clock_of_day(&tm, s + 11) || year < 1971 || !mon || mon > 12 || !day || day > 31)
		return false;
	tm.tm_year = (int)year - 1900;
	tm.tm_mon = (int)mon - 1;
	tm.tm_mday = (int)day;
	ns = decimals(s + 19, len - 19, &used, &digits);
	if (!zone(&offset, s + 19 + used, len - 19 - used))
		return false;
	return finish(out, timegm(&tm), offset, ns, digits);
}

bool logtime_hap(struct logtime *out, const char *s, size_t len)
{
	struct tm tm = { .tm_isdst = -1 };
	unsigned int digits;
	size_t used;
	uint64_t ns;

	if (len < 20 || !clf_date(&tm, s))
		return false;
	ns = decimals(s + 20, len - 20, &used, &digits);
	if (20 + used != len || !finish(out, mktime(&tm), 0, ns, digits))
		return false;
	out->local = true;
	return true;
}

bool logtime_decimal(uint64_t *ns, unsigned int *digits, const char *s, size_t len)
{
	uint64_t sec = 0, frac;
	unsigned int n;
	size_t i = 0, used;

	for (; i < len && s[i] >= '0' && s[i] <= '9'; i++) {
		sec = sec * 10 + (uint64_t)(s[i] - '0');
		if (sec >= 1ull << 33)
			return false;
	}
	if (!i)
		return false;
	frac = decimals(s + i, len - i, &used, &n);
	if (i + used != len)
		return false;
	*ns = sec * NS_PER_S + frac;
	if (digits)
		*digits = n;
	return true;
}

bool logtime_epoch(struct logtime *out, const char *s, size_t len)
{
	unsigned int digits;
	uint64_t ns;

	if (!logtime_decimal(&ns, &digits, s, len))
		return false;
	*out = (struct logtime){ .wall_ns = ns, .precision_us = precision_of(digits) };
	return true;
}
