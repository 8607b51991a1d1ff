/* SPDX-License-Identifier: BSD-2-Clause */
/* What attackers send stays text in a report: in Markdown, in HTML, in a fence. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "report_bench.h"
#include "sample.h"

static const char *const hostile[] = {
	"/a|b|c",
	"/`x`~~~```",
	"/<script>alert(1)</script>",
	"/\"><img src=x onerror=alert(1)>",
	"/[click](http://evil.example/)![i](//evil)",
	"/www.evil.example/a@evil.example",
	"/&lt;&amp;#x3c;",
	"/\x1b[31m\x7f\x01",
	"/\xe2\x80\xae"
	"exe\xef\xbb\xbf",
	"/--><!--</style></svg>]]>",
	"/**b**__i__\\*",
};

static void add_hostile(struct fixture *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++) {
		struct finding *f = sample_finding();

		f->id = i + 1;
		snprintf(f->target, sizeof(f->target), "%s", hostile[i]);
		snprintf(f->host, sizeof(f->host), "%s", hostile[i]);
		snprintf(f->gateway_name, sizeof(f->gateway_name), "<b>|`");
		snprintf(f->why, sizeof(f->why), "it %s", hostile[i]);
		give_agent(f, hostile[i]);
		add(x, f);
	}
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if (*text != '\n' && (*text < 0x20 || *text >= 0x7f))
			return false;
	}
	return true;
}

static size_t bars(const char *line)
{
	size_t n = 0;

	for (const char *p = line; *p && *p != '\n'; p++)
		n += *p == '|' && (p == line || p[-1] != '\\');
	return n;
}

/* Every one of them is escaped. */
static void has_not_bare(const char *text, const char *part)
{
	for (const char *p = text; (p = strstr(p, part)); p++) {
		if (p == text || p[-1] != '\\')
			fail_msg("not escaped: %.200s", p);
	}
}

static void test_hostile_bytes_stay_text_in_markdown(void **state)
{
	struct fixture *x = *state;
	const char *text, *row;
	size_t rows = 0;

	add_hostile(x);
	text = written(x, "a.md");
	assert_true(is_printable(text));
	has_not_bare(text, "<script");
	has_not_bare(text, "<img");
	has_not_bare(text, "](http");
	has_not(text, "/`x");
	has_not(text, "www.evil");
	has_not(text, "/**b");
	has(text, "\\<script\\>");
	has(text, "\\\\xe2\\\\x80\\\\xae");
	row = strstr(text, "| Event |");
	assert_non_null(row);
	for (; *row == '|'; row = strchr(row, '\n') + 1, rows++)
		assert_int_equal(bars(row), 11);
	assert_int_equal(rows, 2 + ARRAY_SIZE(hostile));
}

static void test_hostile_bytes_stay_text_in_html(void **state)
{
	struct fixture *x = *state;
	const char *text;

	add_hostile(x);
	text = written(x, "a.html");
	assert_true(is_printable(text));
	has_not(text, "<script");
	has_not(text, "<img");
	has_not(text, "<b>");
	has_not(text, "-->");
	has_not(text, "]]>");
	has(text, "&lt;script&gt;");
	has(text, "&amp;lt;&amp;amp;#x3c;");
	/* nothing is fetched, nothing runs */
	has_not(text, "src=\"");
	has_not(text, "href=");
	has_not(text, "url(");
	has(text, "default-src 'none'");
}

static void test_a_label_cannot_end_its_fence(void **state)
{
	struct fixture *x = *state;
	struct finding *f = sample_finding();
	const char *text;
	size_t fences = 0;

	flight_unref(take_ptr(f->flight));
	f->down.head_len = (uint16_t)snprintf((char *)f->down.head, sizeof(f->down.head),
					      "GET /\n```\n~~~ HTTP/1.1\r\n\r\n");
	add(x, f);
	text = written(x, "a.md");
	for (const char *p = text; (p = strstr(p, "\n```")); p++)
		fences++;
	assert_int_equal(fences, 4); /* a ladder, a timeline */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hostile_bytes_stay_text_in_markdown, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_hostile_bytes_stay_text_in_html, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_a_label_cannot_end_its_fence, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
