/* SPDX-License-Identifier: BSD-2-Clause */
/* Walks the nodes of a filter over one finding, or a row that can answer only some terms. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "engine/head.h"
#include "sink/filter_impl.h"

/* What is asked about. */
struct subject {
	const struct finding *f;
	unsigned about;	       /* enum filter_about */
	enum event_kind event; /* of an event */
};

/* In this order AND is the lesser, OR the greater (Kleene). */
enum truth { TRUTH_NO, TRUTH_OPEN, TRUTH_YES };

static enum truth truth_of(bool b)
{
	return b ? TRUTH_YES : TRUTH_NO;
}

static bool compare_number(enum filter_op op, double a, const struct filter_value *v)
{
	switch (op) {
	case FILTER_OP_GT: return a > v->lo;
	case FILTER_OP_LT: return a < v->lo;
	case FILTER_OP_GE: return a >= v->lo;
	case FILTER_OP_LE: return a <= v->lo;
	default: return a >= v->lo && a <= v->hi;
	}
}

/* In an address a match begins where a number does. */
static bool contains(const char *text, const char *part, bool is_address)
{
	const char *at = text;

	while ((at = strstr(at, part))) {
		if (!is_address || at == text || !isalnum((unsigned char)at[-1]) ||
		    !isalnum((unsigned char)*part))
			return true;
		at++;
	}
	return false;
}

static bool matches_name(const struct filter_node *n, const struct filter_value *v,
			 const char *name)
{
	if (!filter_op_is_match(n->op))
		return !strcmp(name, v->text);
	return v->has_re ? !regexec(&v->re, name, 0, NULL, 0)
			 : contains(name, v->text, n->field->addr);
}

static bool matches_text(const struct filter_node *n, const struct filter_value *v,
			 const struct finding *f)
{
	char buf[FILTER_VALUE_MAX];

	for (size_t i = 0; filter_field_text(n->field, f, n->arg, i, buf, sizeof(buf)); i++)
		if (matches_name(n, v, buf))
			return true;
	return false;
}

static bool matches_value(const struct filter_node *n, const struct filter_value *v,
			  const struct finding *f)
{
	struct w5_addr ip;
	uint16_t port;
	double number;

	if (filter_op_is_match(n->op) || (!n->field->number && !n->field->addr))
		return matches_text(n, v, f);
	if (n->field->addr) {
		for (size_t i = 0; n->field->addr(f, i, &ip, &port); i++)
			if (filter_net_has(&v->net, &ip, port))
				return true;
		return false;
	}
	for (size_t i = 0; n->field->number(f, i, &number); i++)
		if (compare_number(n->op, number, v))
			return true;
	return false;
}

static enum truth match_term(const struct filter *flt, const struct filter_node *n,
			     const struct subject *s)
{
	bool found = false, is_own = n->field->is_event && s->about == FILTER_ABOUT_EVENT;

	if (!(s->about & (n->field->about | FILTER_ABOUT_FINDING)))
		return TRUTH_OPEN;
	for (size_t i = 0; i < n->nvalues && !found; i++)
		found = is_own ? matches_name(n, &flt->values[n->first + i], event_name(s->event))
			       : matches_value(n, &flt->values[n->first + i], s->f);
	return truth_of(found != (n->op == FILTER_OP_NE || n->op == FILTER_OP_NMATCH));
}

/* Of a row that has an address and no more, only a word that can be one says no. */
static enum truth match_word(const char *word, const struct subject *s)
{
	if (filter_field_any_contains(s->f, s->about, word) ||
	    (s->about == FILTER_ABOUT_EVENT && strcasestr(event_name(s->event), word)))
		return TRUTH_YES;
	if (s->about & (FILTER_ABOUT_UPSTREAM | FILTER_ABOUT_CLIENT) &&
	    word[strspn(word, "0123456789abcdef.:[]")])
		return TRUTH_OPEN;
	return TRUTH_NO;
}

static enum truth match_node(const struct filter *flt, size_t i, const struct subject *s)
{
	const struct filter_node *n = &flt->nodes[i];
	enum truth a, b;

	if (n->kind == FILTER_NODE_TERM)
		return match_term(flt, n, s);
	if (n->kind == FILTER_NODE_WORD)
		return match_word(flt->values[n->first].text, s);
	a = match_node(flt, n->left, s);
	if (n->kind == FILTER_NODE_NOT)
		return TRUTH_YES - a;
	if (a == (n->kind == FILTER_NODE_AND ? TRUTH_NO : TRUTH_YES))
		return a;
	b = match_node(flt, n->right, s);
	return (n->kind == FILTER_NODE_AND) == (a < b) ? a : b;
}

static enum truth match(const struct filter *flt, const struct subject *s)
{
	return !flt || flt->empty ? TRUTH_YES : match_node(flt, flt->root, s);
}

bool filter_match(const struct filter *flt, const struct finding *f)
{
	const struct subject s = { .f = f, .about = FILTER_ABOUT_FINDING };

	return match(flt, &s) == TRUTH_YES;
}

bool filter_match_upstream(const struct filter *flt, const struct w5_addr *ip, uint16_t port)
{
	struct attempt a = { .leg = { .remote = *ip, .rport = port } };
	const struct finding f = { .nattempts = 1, .attempts = &a };
	const struct subject s = { .f = &f, .about = FILTER_ABOUT_UPSTREAM };

	return match(flt, &s) != TRUTH_NO;
}

bool filter_match_client(const struct filter *flt, const struct w5_addr *ip, uint16_t port)
{
	const struct finding f = { .down = { .remote = *ip, .rport = port } };
	const struct subject s = { .f = &f, .about = FILTER_ABOUT_CLIENT };

	return match(flt, &s) != TRUTH_NO;
}

/* As a finding of one leg; the other side is not known (as where only a log tells of it). */
bool filter_match_event(const struct filter *flt, const struct engine_event *ev)
{
	struct attempt a = { .leg = ev->leg };
	struct finding f = { .sight = SIGHT_LOG };
	const struct subject s = { .f = &f, .about = FILTER_ABOUT_EVENT, .event = ev->kind };
	struct head h;

	if (!flt || flt->empty)
		return true;
	if (ev->leg.role == W5_ROLE_UPSTREAM) {
		f.attempts = &a;
		f.nattempts = 1;
		f.down.tgid = ev->leg.tgid;
		memcpy(f.down.head, ev->leg.head, sizeof(f.down.head));
		f.down.head_len = ev->leg.head_len;
	} else {
		f.down = ev->leg;
	}
	snprintf(f.gateway_name, sizeof(f.gateway_name), "%s", ev->gateway);
	if (!(ev->leg.flags & W5_F_HANDSHAKE) && head_parse(&h, &ev->leg)) {
		span_copy(f.method, sizeof(f.method), h.method);
		span_copy(f.target, sizeof(f.target), h.target);
		span_copy(f.host, sizeof(f.host), h.host);
		span_copy(f.request_id, sizeof(f.request_id), h.request_id);
	}
	return match(flt, &s) != TRUTH_NO;
}
