/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A report as a sequence of headings, paragraphs, tables and charts. report_write.c says
 * what is in it, once; a const struct doc_ops (Markdown, HTML) says how that is written.
 * Every text given is plain: whoever writes it makes it harmless.
 */
#ifndef SINK_REPORT_DOC_H
#define SINK_REPORT_DOC_H

#include "base/buf.h"
#include "sink/report_data.h"

#define DOC_COLUMNS_MAX 10

struct doc_column {
	const char *title;
	bool is_number; /* to the right */
	bool is_wire;	/* bytes of the network: shown as such */
};

struct doc;
struct doc_ops {
	const char *suffix; /* ".md" */
	void (*begin)(struct doc *d, const char *title);
	void (*end)(struct doc *d);
	void (*heading)(struct doc *d, const char *text);
	void (*subheading)(struct doc *d, const char *text);
	void (*para)(struct doc *d, const char *text);
	void (*lead)(struct doc *d, const char *text); /* the sentence that matters most */
	/* Between list_begin and list_end; lead may be NULL. */
	void (*list_begin)(struct doc *d, bool is_numbered);
	void (*item)(struct doc *d, const char *lead, const char *text);
	void (*list_end)(struct doc *d);
	void (*table_begin)(struct doc *d);
	void (*cell)(struct doc *d, const char *text); /* row by row */
	void (*table_end)(struct doc *d);
	void (*timeline)(struct doc *d, const struct timeline *t);
	void (*ladder)(struct doc *d, const struct finding *f);
};

struct doc {
	const struct doc_ops *ops;
	struct buf *out;
	/* of the table that is open */
	struct doc_column columns[DOC_COLUMNS_MAX];
	size_t ncolumns, at;
	/* of the list that is open */
	bool is_numbered;
	size_t items;
};

extern const struct doc_ops doc_markdown;
extern const struct doc_ops doc_html;

void doc_table(struct doc *d, const struct doc_column *columns, size_t n);
void doc_cellf(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doc_paraf(struct doc *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doc_itemf(struct doc *d, const char *lead, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Printable ASCII: control, bidirectional and other such bytes become \xNN. */
void doc_plain(char *out, size_t cap, const char *text);

/* The causes a timeline tells apart, most frequent first; what is left is added up. */
#define DOC_SERIES_MAX 6
struct doc_series {
	size_t n;
	enum cause cause[DOC_SERIES_MAX];
	uint64_t total[DOC_SERIES_MAX], rest;
	uint64_t highest; /* of a step */
};
void doc_series_of(struct doc_series *s, const struct timeline *t);
uint32_t doc_series_rest(const struct doc_series *s, const struct timeline *t, size_t step);

/* HTML only: charts as inline SVG (report_svg.c). */
void svg_timeline(struct buf *out, const struct timeline *t);
void svg_ladder(struct buf *out, const struct finding *f);
void html_text(struct buf *out, const char *text);

#endif
