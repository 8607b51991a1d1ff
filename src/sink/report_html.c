/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTML that needs nothing beside it: style inside, charts as SVG, no script, nothing fetched.
 * Light and dark follow the reader's system; on paper it is light, and tables go on over pages.
 */
#include "sink/report_doc.h"

#define PLAIN_MAX 4096

static const char style[] =
	":root{--ink:#1c2024;--dim:#5b6570;--line:#d5dae0;--back:#fff;--soft:#f4f6f8;"
	"--bad:#b3261e;--s0:#b3261e;--s1:#c77700;--s2:#1f6fb2;--s3:#6b4fa0;--s4:#2e7d4f;"
	"--s5:#8a5a2b;--s6:#8b949e;color-scheme:light dark}\n"
	"@media (prefers-color-scheme:dark){:root{--ink:#e3e7eb;--dim:#98a2ad;--line:#3a424b;"
	"--back:#15191d;--soft:#1f252b;--bad:#ff8a80;--s0:#f0736a;--s1:#e9a23b;--s2:#5fa8e0;"
	"--s3:#a48bd8;--s4:#62b986;--s5:#c79a6b;--s6:#7d8792}}\n"
	"@media print{:root{--ink:#000;--dim:#444;--line:#bbb;--back:#fff;--soft:#f4f4f4;"
	"--bad:#b3261e;--s0:#b3261e;--s1:#c77700;--s2:#1f6fb2;--s3:#6b4fa0;--s4:#2e7d4f;"
	"--s5:#8a5a2b;--s6:#777}main{max-width:none;padding:0}figure,h2,h3{break-inside:avoid}"
	"h2,h3{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}"
	".scroll{overflow:visible}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--back);color:var(--ink);"
	"font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}\n"
	"main{max-width:1080px;margin:0 auto;padding:28px 20px 60px}\n"
	"h1{font-size:26px;line-height:1.25;margin:0 0 12px}\n"
	"h2{font-size:19px;margin:36px 0 10px;padding-top:12px;border-top:1px solid var(--line)}\n"
	"h3{font-size:16px;margin:24px 0 6px}\n"
	"p{margin:0 0 10px;max-width:76ch}ul,ol{margin:0 0 12px;padding-left:22px}"
	"li{margin:3px 0;max-width:90ch}\n"
	".lead{font-size:17px;border-left:4px solid var(--bad);padding:6px 0 6px 14px;"
	"margin:14px 0;max-width:none}\n"
	".scroll{overflow-x:auto;margin:0 0 14px}\n"
	"table{border-collapse:collapse;font-size:13px;width:100%}"
	"th,td{text-align:left;vertical-align:top;padding:5px 10px 5px 0;"
	"border-bottom:1px solid var(--line)}"
	"th{color:var(--dim);font-weight:600;white-space:nowrap}"
	".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
	".w{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:12px;"
	"overflow-wrap:anywhere;min-width:9em}\n"
	"figure{margin:8px 0 16px;padding:10px;background:var(--soft);border-radius:6px;"
	"overflow-x:auto}"
	"svg{display:block;max-width:100%;height:auto}"
	"svg text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:var(--ink)}"
	"svg .dim{fill:var(--dim)}svg .bad{fill:var(--bad);font-weight:600}"
	"svg .head{font-weight:600}"
	"svg .axis,svg .lane{stroke:var(--line)}svg .arrow{stroke:var(--ink);stroke-width:1.3}"
	"svg .tip{fill:var(--ink)}svg .arrow.bad{stroke:var(--bad);stroke-width:2}"
	"svg .tip.bad{fill:var(--bad)}svg .gap{stroke:var(--dim);stroke-dasharray:3 3}"
	"svg .s0{fill:var(--s0)}svg .s1{fill:var(--s1)}svg .s2{fill:var(--s2)}"
	"svg .s3{fill:var(--s3)}svg .s4{fill:var(--s4)}svg .s5{fill:var(--s5)}"
	"svg .s6{fill:var(--s6)}\n";

void html_text(struct buf *out, const char *text)
{
	static const struct {
		char c;
		const char *as;
	} escapes[] = {
		{ '&', "&amp;" },  { '<', "&lt;" },   { '>', "&gt;" },
		{ '"', "&quot;" }, { '\'', "&#39;" },
	};
	char plain[PLAIN_MAX];

	doc_plain(plain, sizeof(plain), text);
	for (const char *p = plain; *p; p++) {
		const char *as = NULL;

		for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
			if (escapes[i].c == *p)
				as = escapes[i].as;
		}
		if (as)
			buf_str(out, as);
		else
			buf_put(out, p, 1);
	}
}

static void element(struct doc *d, const char *open, const char *text, const char *close)
{
	buf_str(d->out, open);
	html_text(d->out, text);
	buf_str(d->out, close);
	buf_str(d->out, "\n");
}

/* Well-formed as XML, too: so it can be checked, and read by more than browsers. */
static void html_begin(struct doc *d, const char *title)
{
	buf_str(d->out, "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
			"lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
			"<meta name=\"viewport\" content=\"width=device-width\"/>\n"
			"<meta name=\"referrer\" content=\"no-referrer\"/>\n"
			"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			"'none'; style-src 'unsafe-inline'\"/>\n");
	element(d, "<title>", title, "</title>");
	buf_str(d->out, "<style>\n");
	buf_str(d->out, style);
	buf_str(d->out, "</style>\n</head>\n<body>\n<main>\n");
	element(d, "<h1>", title, "</h1>");
}

static void html_end(struct doc *d)
{
	buf_str(d->out, "</main>\n</body>\n</html>\n");
}

static void html_heading(struct doc *d, const char *text)
{
	element(d, "<h2>", text, "</h2>");
}

static void html_subheading(struct doc *d, const char *text)
{
	element(d, "<h3>", text, "</h3>");
}

static void html_para(struct doc *d, const char *text)
{
	element(d, "<p>", text, "</p>");
}

static void html_lead(struct doc *d, const char *text)
{
	element(d, "<p class=\"lead\">", text, "</p>");
}

static void html_list_begin(struct doc *d, bool is_numbered)
{
	d->is_numbered = is_numbered;
	buf_str(d->out, is_numbered ? "<ol>\n" : "<ul>\n");
}

static void html_item(struct doc *d, const char *lead, const char *text)
{
	buf_str(d->out, "<li>");
	if (lead) {
		buf_str(d->out, "<strong>");
		html_text(d->out, lead);
		buf_str(d->out, "</strong> ");
	}
	element(d, "", text, "</li>");
}

static void html_list_end(struct doc *d)
{
	buf_str(d->out, d->is_numbered ? "</ol>\n" : "</ul>\n");
}

static const char *class_of(const struct doc_column *c)
{
	return c->is_number ? " class=\"n\"" : c->is_wire ? " class=\"w\"" : "";
}

static void html_table_begin(struct doc *d)
{
	buf_str(d->out, "<div class=\"scroll\"><table>\n<thead><tr>");
	for (size_t i = 0; i < d->ncolumns; i++) {
		buf_printf(d->out, "<th%s>", d->columns[i].is_number ? " class=\"n\"" : "");
		html_text(d->out, d->columns[i].title);
		buf_str(d->out, "</th>");
	}
	buf_str(d->out, "</tr></thead>\n<tbody>\n");
}

static void html_cell(struct doc *d, const char *text)
{
	if (!d->at)
		buf_str(d->out, "<tr>");
	buf_printf(d->out, "<td%s>", class_of(&d->columns[d->at]));
	html_text(d->out, text);
	buf_str(d->out, "</td>");
	if (++d->at < d->ncolumns)
		return;
	buf_str(d->out, "</tr>\n");
	d->at = 0;
}

static void html_table_end(struct doc *d)
{
	buf_str(d->out, "</tbody>\n</table></div>\n");
}

static void html_timeline(struct doc *d, const struct timeline *t)
{
	buf_str(d->out, "<figure>\n");
	svg_timeline(d->out, t);
	buf_str(d->out, "</figure>\n");
}

static void html_ladder(struct doc *d, const struct finding *f)
{
	buf_str(d->out, "<figure>\n");
	svg_ladder(d->out, f);
	buf_str(d->out, "</figure>\n");
}

const struct doc_ops doc_html = {
	.suffix = ".html",
	.begin = html_begin,
	.end = html_end,
	.heading = html_heading,
	.subheading = html_subheading,
	.para = html_para,
	.lead = html_lead,
	.list_begin = html_list_begin,
	.item = html_item,
	.list_end = html_list_end,
	.table_begin = html_table_begin,
	.cell = html_cell,
	.table_end = html_table_end,
	.timeline = html_timeline,
	.ladder = html_ladder,
};
