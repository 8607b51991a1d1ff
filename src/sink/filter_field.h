/* SPDX-License-Identifier: BSD-2-Clause */
/* The fields a filter can name: one row each (filter_field.c). */
#ifndef SINK_FILTER_FIELD_H
#define SINK_FILTER_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/finding.h"

#define FILTER_VALUE_MAX (W5_HEAD_REQ + 1)

/* Which rows can answer: bits. */
enum filter_about {
	FILTER_ABOUT_FINDING = 0x1,
	FILTER_ABOUT_EVENT = 0x2, /* of one leg */
	FILTER_ABOUT_UPSTREAM = 0x4,
	FILTER_ABOUT_CLIENT = 0x8,
};

/* An address, or all that share its first bits; port 0 = any. */
struct filter_net {
	struct w5_addr ip;
	unsigned bits; /* of 128: IPv4 is v4-mapped */
	uint16_t port;
};
/* "10.0.3.18", "10.0.3.18:8080", "10.0.3.0/24", "[2001:db8::1]:80", "2001:db8::/32" */
bool filter_net_parse(struct filter_net *out, const char *text);
bool filter_net_has(const struct filter_net *net, const struct w5_addr *ip, uint16_t port);

struct filter_field_row {
	const char *name, *what;
	unsigned about; /* besides findings, which have all */
	/* The i-th value as text (upstream has one per attempt); false past the last. */
	bool (*text)(const struct finding *f, size_t i, char *out, size_t cap);
	bool (*number)(const struct finding *f, size_t i, double *out); /* set: it is a number */
	/* Set: it is an address; then there is no text(). */
	bool (*addr)(const struct finding *f, size_t i, struct w5_addr *ip, uint16_t *port);
	const char *(*choice)(size_t i); /* set: == takes only these; NULL past the last */
	bool is_event;			 /* a kind of event: of one that is asked about, its own */
	bool is_ms;			 /* a time: takes 1.5s, 60min */
	bool searched;			 /* a bare word looks here */
	bool has_arg;			 /* header.NAME: text() gets NAME in out */
};

const struct filter_field_row *filter_field_find(const char *name, size_t len);
const struct filter_field_row *filter_field_at(size_t i); /* NULL past the end */
/* The i-th value as text, whatever the field is; arg: of header.NAME, else NULL. */
bool filter_field_text(const struct filter_field_row *row, const struct finding *f, const char *arg,
		       size_t i, char *out, size_t cap);
bool filter_field_any_contains(const struct finding *f, unsigned about, const char *word);

#endif
