/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Recursive descent over the expression into a small array of nodes; matching walks
 * it. The filter owns its nodes, their strings and compiled expressions.
 */
#include "sink/filter.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sink/filter_impl.h"

static const char *const op_text[FILTER_OP_MAX] = {
#define X(id, text) [FILTER_OP_##id] = text,
	FILTER_OPS(X)
#undef X
};

struct parser {
	struct filter *flt;
	const char *s;
	size_t at;
	int depth;
	struct filter_error *err;
};

static int fail(struct parser *p, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct parser *p, size_t at, const char *fmt, ...)
{
	va_list ap;

	if (p->err) {
		p->err->at = at;
		va_start(ap, fmt);
		vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

static void skip_space(struct parser *p)
{
	while (isspace((unsigned char)p->s[p->at]))
		p->at++;
}

static bool at_text(const struct parser *p, const char *text)
{
	return !strncmp(p->s + p->at, text, strlen(text));
}

static int new_node(struct parser *p, enum filter_node_kind kind, size_t *out)
{
	if (p->flt->n == FILTER_NODES_MAX)
		return fail(p, p->at, "too long: at most %d terms", FILTER_NODES_MAX / 2);
	*out = p->flt->n++;
	p->flt->nodes[*out].kind = kind;
	return 0;
}

/*
 * A bare value ends at white space, &&, || or the parenthesis that closes an outer one; in a
 * list at a comma, too.
 */
static size_t bare_length(const char *s, bool in_list)
{
	size_t n = 0, open = 0;

	while (s[n] && !isspace((unsigned char)s[n])) {
		if (!strncmp(s + n, "&&", 2) || !strncmp(s + n, "||", 2))
			break;
		if (in_list && s[n] == ',')
			break;
		if (s[n] == '(')
			open++;
		else if (s[n] == ')' && open-- == 0)
			break;
		n++;
	}
	return n;
}

static int new_value(struct parser *p, struct filter_node *n, bool in_list,
		     struct filter_value **out)
{
	const char *s = p->s + p->at;
	size_t start = 0, len;

	if (p->flt->nvalues == FILTER_VALUES_MAX)
		return fail(p, p->at, "too long: at most %d values", FILTER_VALUES_MAX);
	if (*s == '"') {
		const char *end = strchr(s + 1, '"');

		if (!end)
			return fail(p, p->at, "this quote is not closed");
		start = 1;
		len = (size_t)(end - s) - 1;
	} else {
		len = bare_length(s, in_list);
		if (!len)
			return fail(p, p->at, "a value is missing here");
	}
	*out = &p->flt->values[p->flt->nvalues];
	(*out)->text = strndup(s + start, len);
	if (!(*out)->text)
		return -ENOMEM;
	if (!n->nvalues++)
		n->first = p->flt->nvalues;
	p->flt->nvalues++;
	p->at += len + 2 * start;
	return 0;
}

static int parse_value(struct parser *p, struct filter_node *n, bool in_list)
{
	char buf[FILTER_WHY_MAX];
	struct filter_value *v;
	size_t value_at = p->at;
	int err = new_value(p, n, in_list, &v);
	const char *why;

	if (err)
		return err;
	why = filter_value_make(v, n->field, n->op, buf);
	return why ? fail(p, value_at, "%s", why) : 0;
}

/* (502, 504) or (502 504) */
static int parse_list(struct parser *p, struct filter_node *n)
{
	size_t open_at = p->at++;
	int err = 0;

	skip_space(p);
	while (!err && p->s[p->at] && p->s[p->at] != ')') {
		err = parse_value(p, n, true);
		skip_space(p);
		if (p->s[p->at] == ',' && n->nvalues) {
			p->at++;
			skip_space(p);
		}
	}
	if (err)
		return err;
	if (!p->s[p->at])
		return fail(p, open_at, "this parenthesis is not closed");
	if (!n->nvalues)
		return fail(p, p->at, "a value is missing here");
	p->at++;
	return 0;
}

static int parse_op(struct parser *p, enum filter_op *out)
{
	for (size_t i = 0; i < FILTER_OP_MAX; i++) {
		if (at_text(p, op_text[i])) {
			p->at += strlen(op_text[i]);
			*out = (enum filter_op)i;
			return 0;
		}
	}
	return fail(p, p->at, "use == for equal");
}

static bool at_in(const char *s)
{
	if (strncmp(s, "in", 2))
		return false;
	for (s += 2; isspace((unsigned char)*s); s++)
		;
	return *s == '(';
}

static bool at_operator(const char *s)
{
	if (*s && strchr("=~<>", *s))
		return true;
	return *s == '!' && s[1] && strchr("=~", s[1]);
}

/* Length of a field name that an operator follows, or 0: then it is a bare word. */
static size_t field_length(const char *s)
{
	size_t n = 0, after;

	while (islower((unsigned char)s[n]) || s[n] == '_')
		n++;
	if (n && s[n] == '.') /* header.NAME */
		for (n++; isalnum((unsigned char)s[n]) || s[n] == '-'; n++)
			;
	if (!n)
		return 0;
	for (after = n; isspace((unsigned char)s[after]); after++)
		;
	return at_operator(s + after) || (after > n && at_in(s + after)) ? n : 0;
}

static int parse_field(struct parser *p, struct filter_node *n, size_t len)
{
	const char *s = p->s + p->at, *dot = memchr(s, '.', len);
	size_t name = dot ? (size_t)(dot - s) : len;

	n->field = filter_field_find(s, name);
	if (!n->field || (dot && !n->field->has_arg))
		return fail(p, p->at, "no such field: %.*s", (int)min_size(len, 40), s);
	if (n->field->has_arg && name + 1 >= len)
		return fail(p, p->at + name, "say which one: header.user-agent");
	if (dot) {
		n->arg = strndup(dot + 1, len - name - 1);
		if (!n->arg)
			return -ENOMEM;
	}
	p->at += len;
	skip_space(p);
	return 0;
}

static int parse_comparison(struct parser *p, size_t name_len, size_t *out)
{
	struct filter_node *n;
	int err = new_node(p, FILTER_NODE_TERM, out);

	if (err)
		return err;
	n = &p->flt->nodes[*out];
	err = parse_field(p, n, name_len);
	if (err)
		return err;
	if (at_in(p->s + p->at)) {
		n->op = FILTER_OP_EQ;
		p->at += 2;
		skip_space(p);
		return parse_list(p, n);
	}
	err = parse_op(p, &n->op);
	if (err)
		return err;
	skip_space(p);
	return parse_value(p, n, false);
}

static int parse_word(struct parser *p, size_t *out)
{
	struct filter_value *v;
	int err = new_node(p, FILTER_NODE_WORD, out);

	return err ? err : new_value(p, &p->flt->nodes[*out], false, &v);
}

static int parse_or(struct parser *p, size_t *out);

static int parse_unary(struct parser *p, size_t *out)
{
	size_t len, open_at = p->at;
	int err;

	if (p->s[p->at] == '!') {
		size_t self = 0;

		p->at++;
		skip_space(p);
		err = new_node(p, FILTER_NODE_NOT, &self);
		if (!err && ++p->depth > FILTER_DEPTH_MAX)
			err = fail(p, open_at, "nested too deep");
		if (!err)
			err = parse_unary(p, &p->flt->nodes[self].left);
		p->depth--;
		*out = self;
		return err;
	}
	if (p->s[p->at] == '(') {
		p->at++;
		if (++p->depth > FILTER_DEPTH_MAX)
			return fail(p, open_at, "nested too deep");
		err = parse_or(p, out);
		if (err)
			return err;
		p->depth--;
		if (p->s[p->at] != ')')
			return fail(p, open_at, "this parenthesis is not closed");
		p->at++;
		return 0;
	}
	len = field_length(p->s + p->at);
	return len ? parse_comparison(p, len, out) : parse_word(p, out);
}

static int join(struct parser *p, enum filter_node_kind kind, size_t left, size_t right,
		size_t *out)
{
	int err = new_node(p, kind, out);

	if (err)
		return err;
	p->flt->nodes[*out].left = left;
	p->flt->nodes[*out].right = right;
	return 0;
}

static int parse_and(struct parser *p, size_t *out)
{
	size_t left, right;
	int err;

	skip_space(p);
	err = parse_unary(p, &left);
	while (!err) {
		skip_space(p);
		if (!p->s[p->at] || p->s[p->at] == ')' || at_text(p, "||"))
			break;
		if (at_text(p, "&&"))
			p->at += 2;
		skip_space(p);
		err = parse_unary(p, &right);
		if (!err)
			err = join(p, FILTER_NODE_AND, left, right, &left);
	}
	*out = left;
	return err;
}

static int parse_or(struct parser *p, size_t *out)
{
	size_t left, right;
	int err = parse_and(p, &left);

	while (!err && at_text(p, "||")) {
		p->at += 2;
		err = parse_and(p, &right);
		if (!err)
			err = join(p, FILTER_NODE_OR, left, right, &left);
	}
	*out = left;
	return err;
}

static void free_filter(struct filter **flt)
{
	filter_free(*flt);
}

int filter_parse(struct filter **out, const char *expr, struct filter_error *err)
{
	w5_auto(free_filter) struct filter *flt = calloc(1, sizeof(*flt));
	struct parser p = { .flt = flt, .s = expr, .err = err };
	int ret;

	if (!flt)
		return -ENOMEM;
	skip_space(&p);
	if (!expr[p.at]) {
		flt->empty = true;
		*out = take_ptr(flt);
		return 0;
	}
	ret = parse_or(&p, &flt->root);
	if (!ret && expr[p.at])
		ret = fail(&p, p.at, "nothing opened this parenthesis");
	if (ret)
		return ret;
	*out = take_ptr(flt);
	return 0;
}

void filter_free(struct filter *flt)
{
	if (!flt)
		return;
	for (size_t i = 0; i < flt->n; i++)
		free(flt->nodes[i].arg);
	for (size_t i = 0; i < flt->nvalues; i++) {
		if (flt->values[i].has_re)
			regfree(&flt->values[i].re);
		free(flt->values[i].text);
	}
	free(flt);
}

bool filter_field(size_t i, const char **name, const char **what)
{
	const struct filter_field_row *row = filter_field_at(i);

	if (!row)
		return false;
	*name = row->name;
	*what = row->what;
	return true;
}
