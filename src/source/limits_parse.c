/* SPDX-License-Identifier: BSD-2-Clause */
/* The text files; see limits_parse.h. */
#include "source/limits_parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A number that ends where a word may end. */
static uint64_t number(const char *s, int base)
{
	unsigned long long v;
	char *end;

	if (!isxdigit((unsigned char)*s)) /* strtoull takes signs and blanks, too */
		return W5_HOST_UNKNOWN;
	errno = 0;
	v = strtoull(s, &end, base);
	return errno || end == s || (*end && !isspace((unsigned char)*end)) ? W5_HOST_UNKNOWN : v;
}

static const char *next_line(const char *s)
{
	s += strcspn(s, "\n");
	return *s ? s + 1 : NULL;
}

/* The i-th word of the line, or NULL; *len its length. */
static const char *word(const char *line, size_t i, size_t *len)
{
	for (;; i--) {
		line += strspn(line, " \t");
		*len = strcspn(line, " \t\n");
		if (!*len)
			return NULL;
		if (!i)
			return line;
		line += *len;
	}
}

static bool is_word(const char *s, size_t len, const char *want)
{
	return s && strlen(want) == len && !memcmp(s, want, len);
}

/* Place of a word in the line; SIZE_MAX if it is not there. */
static size_t place(const char *line, const char *want)
{
	const char *w;
	size_t len;

	for (size_t i = 0; (w = word(line, 0, &len)); i++, line = w + len)
		if (is_word(w, len, want))
			return i;
	return SIZE_MAX;
}

uint64_t limits_netstat(const char *text, const char *prefix, const char *name)
{
	size_t len, at;

	for (const char *line = text; line; line = next_line(line)) {
		const char *w = word(line, 0, &len), *values = next_line(line);

		if (!is_word(w, len, prefix))
			continue;
		at = place(line, name);
		w = values ? word(values, 0, &len) : NULL;
		if (at == SIZE_MAX || !is_word(w, len, prefix))
			return W5_HOST_UNKNOWN;
		w = word(values, at, &len);
		return w ? number(w, 10) : W5_HOST_UNKNOWN;
	}
	return W5_HOST_UNKNOWN;
}

uint64_t limits_sockstat(const char *text, const char *prefix, const char *name)
{
	size_t len, at;

	for (const char *line = text; line; line = next_line(line)) {
		const char *w = word(line, 0, &len);

		if (!is_word(w, len, prefix))
			continue;
		at = place(line, name);
		w = at == SIZE_MAX ? NULL : word(line, at + 1, &len);
		return w ? number(w, 10) : W5_HOST_UNKNOWN;
	}
	return W5_HOST_UNKNOWN;
}

static uint64_t column_sum(const char *line, size_t column)
{
	uint64_t sum = W5_HOST_UNKNOWN;

	for (; line; line = next_line(line)) {
		size_t len;
		const char *w = word(line, column, &len);
		uint64_t v = w ? number(w, 16) : W5_HOST_UNKNOWN;

		if (v != W5_HOST_UNKNOWN)
			sum = sum == W5_HOST_UNKNOWN ? v : sum + v;
	}
	return sum;
}

uint64_t limits_stat_sum(const char *text, const char *name)
{
	size_t at = place(text, name);

	return at == SIZE_MAX ? W5_HOST_UNKNOWN : column_sum(next_line(text), at);
}

uint64_t limits_softnet(const char *text, unsigned int column)
{
	return column_sum(text, column);
}

/* "some avg10=97.13 avg60=..." */
uint64_t limits_pressure(const char *text, const char *prefix)
{
	static const char name[] = "avg10=";
	size_t len;

	for (const char *line = text; line; line = next_line(line)) {
		const char *w = word(line, 0, &len);
		uint64_t whole = 0;

		if (!is_word(w, len, prefix))
			continue;
		w = word(line, 1, &len);
		if (!w || len < sizeof(name) + 3 || memcmp(w, name, sizeof(name) - 1))
			return W5_HOST_UNKNOWN;
		for (w += sizeof(name) - 1; isdigit((unsigned char)*w) && whole <= 100; w++)
			whole = whole * 10 + (uint64_t)(*w - '0');
		if (*w != '.' || !isdigit((unsigned char)w[1]) || !isdigit((unsigned char)w[2]))
			return W5_HOST_UNKNOWN;
		return whole * 100 + (uint64_t)(w[1] - '0') * 10 + (uint64_t)(w[2] - '0');
	}
	return W5_HOST_UNKNOWN;
}

uint64_t limits_soft(const char *text, const char *name)
{
	size_t n = strlen(name), len;

	for (const char *line = text; line; line = next_line(line)) {
		const char *w = strncmp(line, name, n) ? NULL : word(line + n, 0, &len);

		if (w)
			return number(w, 10); /* "unlimited" is none */
	}
	return W5_HOST_UNKNOWN;
}

uint64_t limits_number(const char *text, unsigned int i)
{
	size_t len;
	const char *w = word(text, i, &len);

	return w ? number(w, 10) : W5_HOST_UNKNOWN;
}
