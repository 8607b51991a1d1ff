/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the expression up to the cursor just well enough to know what is expected there;
 * it need not be complete, nor right.
 */
#include "sink/filter_complete.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"
#include "sink/filter_impl.h"

#define FINDINGS_MAX 1000 /* newest ones, whose values are offered */

static const char *const ops[] = { "==", "!=", "~", "!~", ">", ">=", "<", "<=", " in (" };
static const char *const joins[] = { "&& ", "|| " };

struct reader {
	const char *s;
	size_t at, end; /* end: the cursor */
	struct filter_completion *out;
	struct finding *const *findings;
	size_t nfindings;
	unsigned count[FILTER_CANDIDATES_MAX];
};

static void skip_space(struct reader *r)
{
	while (r->at < r->end && isspace((unsigned char)r->s[r->at]))
		r->at++;
}

/* What is typed of it already. */
static bool fits(const struct reader *r, const char *text)
{
	return !strncmp(text, r->s + r->out->from, r->end - r->out->from);
}

static void offer(struct reader *r, const char *text)
{
	struct filter_completion *c = r->out;

	if (!fits(r, text) || strlen(text) >= FILTER_CANDIDATE_MAX)
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (!strcmp(c->text[i], text)) {
			r->count[i]++;
			return;
		}
	}
	if (c->n == FILTER_CANDIDATES_MAX)
		return;
	r->count[c->n] = 1;
	snprintf(c->text[c->n++], FILTER_CANDIDATE_MAX, "%s", text);
}

static void offer_all(struct reader *r, size_t from, const char *const *texts, size_t n)
{
	r->out->from = from;
	for (size_t i = 0; i < n; i++)
		offer(r, texts[i]);
}

/* ---- values ---- */

static bool needs_quotes(const char *s)
{
	return !*s || s[strcspn(s, " \t,()\"")] || strstr(s, "&&") || strstr(s, "||");
}

/* Bytes from the wire come into a line that is edited: only what can be typed. */
static bool is_plain(const char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s >= 0x7f || *s == '"')
			return false;
	return true;
}

static void offer_value(struct reader *r, const char *value, bool is_quoted)
{
	char text[FILTER_VALUE_MAX + 3];

	if (!*value || !is_plain(value))
		return;
	if (is_quoted)
		snprintf(text, sizeof(text), "%s\"", value);
	else
		snprintf(text, sizeof(text), needs_quotes(value) ? "\"%s\"" : "%s", value);
	offer(r, text);
}

static void sort_by_count(struct reader *r)
{
	struct filter_completion *c = r->out;

	for (size_t i = 1; i < c->n; i++) {
		for (size_t k = i; k && r->count[k] > r->count[k - 1]; k--) {
			char text[FILTER_CANDIDATE_MAX];
			unsigned n = r->count[k];

			memcpy(text, c->text[k], sizeof(text));
			memcpy(c->text[k], c->text[k - 1], sizeof(text));
			memcpy(c->text[k - 1], text, sizeof(text));
			r->count[k] = r->count[k - 1];
			r->count[k - 1] = n;
		}
	}
}

static void offer_values(struct reader *r, size_t from, const struct filter_field_row *field,
			 const char *arg, bool is_quoted)
{
	size_t first = r->nfindings > FINDINGS_MAX ? r->nfindings - FINDINGS_MAX : 0;
	char buf[FILTER_VALUE_MAX];
	const char *name;

	r->out->from = from;
	if (!field || field->is_ms)
		return;
	for (size_t i = r->nfindings; i-- > first;)
		for (size_t v = 0;
		     filter_field_text(field, r->findings[i], arg, v, buf, sizeof(buf)); v++)
			offer_value(r, buf, is_quoted);
	sort_by_count(r);
	/* what has been seen comes first */
	for (size_t i = 0; field->choice && (name = field->choice(i)); i++)
		offer_value(r, name, is_quoted);
}

/* ---- reading ---- */

/* True if the value ends before the cursor. */
static bool read_value(struct reader *r, const struct filter_field_row *field, const char *arg,
		       bool in_list)
{
	size_t from = r->at, open = 0;

	if (r->at < r->end && r->s[r->at] == '"') {
		const char *end = memchr(r->s + from + 1, '"', r->end - from - 1);

		if (!end) {
			offer_values(r, from + 1, field, arg, true);
			return false;
		}
		r->at = (size_t)(end - r->s) + 1;
		return true;
	}
	for (; r->at < r->end && !isspace((unsigned char)r->s[r->at]); r->at++) {
		if (!strncmp(r->s + r->at, "&&", 2) || !strncmp(r->s + r->at, "||", 2) ||
		    (in_list && r->s[r->at] == ','))
			return true;
		if (r->s[r->at] == '(')
			open++;
		else if (r->s[r->at] == ')' && open-- == 0)
			return true;
	}
	if (r->at < r->end)
		return true;
	offer_values(r, from, field, arg, false);
	return false;
}

static bool read_list(struct reader *r, const struct filter_field_row *field, const char *arg)
{
	for (;;) {
		size_t before;

		skip_space(r);
		before = r->at;
		if (r->at < r->end && r->s[r->at] == ')') {
			r->at++;
			return true;
		}
		if (!read_value(r, field, arg, true))
			return false;
		skip_space(r);
		if (r->at < r->end && r->s[r->at] == ',')
			r->at++;
		if (r->at == before)
			return false; /* && in a list: nothing goes on from there */
	}
}

/* The longest operator here; 0 if it may be one half typed, or is none. */
static size_t op_length(const struct reader *r)
{
	static const char *const whole[] = { "==", "!=", "!~", ">=", "<=", "~", ">", "<" };

	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		size_t n = strlen(whole[i]);

		if (r->at + n <= r->end && !strncmp(r->s + r->at, whole[i], n))
			return n;
	}
	return 0;
}

/* Behind a field's name: true if a whole term was read, and the cursor is behind it. */
static bool read_operator(struct reader *r, const struct filter_field_row *field, const char *arg)
{
	size_t name_end = r->at, n;

	skip_space(r);
	n = op_length(r);
	if (n) {
		r->at += n;
		skip_space(r);
		return read_value(r, field, arg, false);
	}
	if (r->at > name_end && r->end - r->at >= 2 && !strncmp(r->s + r->at, "in", 2)) {
		size_t open = r->at + 2;

		while (open < r->end && isspace((unsigned char)r->s[open]))
			open++;
		if (open < r->end && r->s[open] == '(') {
			r->at = open + 1;
			return read_list(r, field, arg);
		}
	}
	if (r->at == r->end || (r->at + 1 == r->end && strchr("=!", r->s[r->at])))
		offer_all(r, r->at, ops, ARRAY_SIZE(ops));
	else
		return read_value(r, NULL, NULL, false); /* it was a word */
	return false;
}

static void offer_fields(struct reader *r, size_t from)
{
	const struct filter_field_row *row;
	char text[FILTER_CANDIDATE_MAX];

	r->out->from = from;
	for (size_t i = 0; (row = filter_field_at(i)); i++) {
		snprintf(text, sizeof(text), row->has_arg ? "%s." : "%s", row->name);
		offer(r, text);
	}
}

/* True if the cursor is behind a whole term. */
static bool read_term(struct reader *r)
{
	const struct filter_field_row *field;
	size_t from = r->at, len = 0, name;
	char arg[64] = "";

	while (from + len < r->end &&
	       (isalnum((unsigned char)r->s[from + len]) || strchr("_.-", r->s[from + len])))
		len++;
	name = len;
	if (memchr(r->s + from, '.', len))
		name = (size_t)((const char *)memchr(r->s + from, '.', len) - r->s) - from;
	field = len ? filter_field_find(r->s + from, name) : NULL;
	if (name < len)
		snprintf(arg, sizeof(arg), "%.*s", (int)(len - name - 1), r->s + from + name + 1);
	r->at = from + len;
	if (r->at == r->end && !(field && (name < len) == field->has_arg)) {
		offer_fields(r, from);
		return false;
	}
	if (field)
		return read_operator(r, field, arg);
	r->at = from;
	return read_value(r, NULL, NULL, false);
}

void filter_complete(struct filter_completion *out, const char *expr, size_t at,
		     struct finding *const *findings, size_t nfindings)
{
	struct reader r = {
		.s = expr, .end = at, .out = out, .findings = findings, .nfindings = nfindings
	};
	bool has_term = false;

	out->n = 0;
	out->from = at;
	for (;;) {
		size_t before = r.at;

		skip_space(&r);
		if (r.at == r.end && has_term) {
			if (r.at > before)
				offer_all(&r, r.at, joins, ARRAY_SIZE(joins));
			return;
		}
		if (r.at + 2 <= r.end &&
		    (!strncmp(expr + r.at, "&&", 2) || !strncmp(expr + r.at, "||", 2))) {
			r.at += 2;
			has_term = false;
		} else if (r.at < r.end && strchr("(!", expr[r.at])) {
			r.at++;
			has_term = false;
		} else if (r.at < r.end && expr[r.at] == ')') {
			r.at++;
			has_term = true;
		} else if (!read_term(&r)) {
			return;
		} else if (r.at == before) {
			return; /* nothing a term can begin with */
		} else {
			has_term = true;
		}
	}
}

size_t filter_completion_common(const struct filter_completion *c)
{
	size_t n = c->n ? strlen(c->text[0]) : 0;

	for (size_t i = 1; i < c->n; i++) {
		size_t k = 0;

		while (k < n && c->text[i][k] == c->text[0][k])
			k++;
		n = k;
	}
	return n;
}
