/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cells in memory: drawing, clipping and the ASCII stand-ins of our own symbols.
 * The canvas owns its cells.
 */
#include "tui/canvas.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/util.h"

#define LINE_MAX_BYTES 1024

/* Every character beyond ASCII that our own strings use, with its stand-in. What is
 * not listed here never reaches a cell: each one is known to be one column wide. */
static const struct {
	uint32_t ch;
	char ascii;
} symbols[] = {
	{ 0x2500, '-' }, { 0x2502, '|' }, { 0x250c, '+' }, { 0x2510, '+' }, { 0x2514, '+' },
	{ 0x2518, '+' }, { 0x251c, '+' }, { 0x2524, '+' }, { 0x2581, '_' }, { 0x2582, '.' },
	{ 0x2583, ':' }, { 0x2584, '-' }, { 0x2585, '=' }, { 0x2586, '+' }, { 0x2587, '*' },
	{ 0x2588, '#' }, { 0x25cf, '*' }, { 0x25ba, '>' }, { 0x25c4, '<' }, { 0x2191, '^' },
	{ 0x2193, 'v' }, { 0x2192, '>' }, { 0x2190, '<' }, { 0x2026, '~' }, { 0x00b7, '.' },
	{ 0x2551, '#' }, { 0x2550, '=' }, { 0x00d7, 'x' }, { 0x2504, '.' }, { 0x2016, '"' },
	{ 0x2715, 'X' },
};

int canvas_init(struct canvas *c, int cols, int rows, bool ascii)
{
	struct cell *cells;

	if (cols < 1 || rows < 1 || cols > 4096 || rows > 4096)
		return -EINVAL;
	cells = calloc((size_t)cols * (size_t)rows, sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	*c = (struct canvas){ .cols = cols, .rows = rows, .ascii = ascii, .cells = cells };
	canvas_clear(c);
	return 0;
}

void canvas_fini(struct canvas *c)
{
	free(c->cells);
	*c = (struct canvas){ 0 };
}

static struct cell *cell_at(struct canvas *c, int y, int x)
{
	if (y < 0 || x < 0 || y >= c->rows || x >= c->cols)
		return NULL;
	return &c->cells[(size_t)y * (size_t)c->cols + (size_t)x];
}

const struct cell *canvas_at(const struct canvas *c, int y, int x)
{
	return cell_at((struct canvas *)c, y, x);
}

static uint32_t known_char(const struct canvas *c, uint32_t ch)
{
	if (ch >= 0x20 && ch < 0x7f)
		return ch;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		if (symbols[i].ch == ch)
			return c->ascii ? (uint32_t)symbols[i].ascii : ch;
	return '?';
}

static void put(struct canvas *c, int y, int x, enum style st, uint32_t ch)
{
	struct cell *cell = cell_at(c, y, x);

	if (cell)
		*cell = (struct cell){ .ch = known_char(c, ch), .style = (uint8_t)st };
}

void canvas_clear(struct canvas *c)
{
	for (int y = 0; y < c->rows; y++)
		canvas_fill(c, y, 0, c->cols, STYLE_NORMAL, ' ');
}

void canvas_fill(struct canvas *c, int y, int x, int w, enum style st, uint32_t ch)
{
	for (int i = 0; i < w; i++)
		put(c, y, x + i, st, ch);
}

void canvas_restyle(struct canvas *c, int y, int x, int w, enum style st)
{
	for (int i = 0; i < w; i++) {
		struct cell *cell = cell_at(c, y, x + i);

		if (cell)
			cell->style = (uint8_t)st;
	}
}

/* One character off *s; malformed bytes come out one by one as U+FFFD. */
static uint32_t next_char(const char **s)
{
	const unsigned char *p = (const unsigned char *)*s;
	int more = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : (*p & 0xf0) == 0xe0 ? 2 : -1;
	uint32_t ch = more == 1 ? *p & 0x1f : more == 2 ? *p & 0x0f : *p;

	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			more = -1;
			break;
		}
		ch = ch << 6 | (p[i] & 0x3f);
	}
	*s += more < 0 ? 1 : more + 1;
	return more < 0 ? 0xfffd : ch;
}

int canvas_width(const char *s)
{
	int w = 0;

	for (; *s; w++)
		next_char(&s);
	return w;
}

int canvas_text(struct canvas *c, int y, int x, int w, enum style st, const char *s)
{
	int n = 0;

	if (x + w > c->cols)
		w = c->cols - x;
	while (*s && n < w) {
		uint32_t ch = next_char(&s);

		if (n == w - 1 && *s && w > 1)
			ch = 0x2026; /* the ellipsis: there was more */
		put(c, y, x + n++, st, ch);
	}
	return n;
}

int canvas_printf(struct canvas *c, int y, int x, int w, enum style st, const char *fmt, ...)
{
	char buf[LINE_MAX_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return canvas_text(c, y, x, w, st, buf);
}

int canvas_right(struct canvas *c, int y, int x, int w, enum style st, const char *s)
{
	int n = canvas_width(s);

	if (n >= w)
		return canvas_text(c, y, x, w, st, s);
	return canvas_text(c, y, x + w - n, n, st, s);
}

int canvas_wire(struct canvas *c, int y, int x, int w, enum style st, const char *s)
{
	char buf[LINE_MAX_BYTES];

	text_escape(buf, sizeof(buf), s, strlen(s));
	return canvas_text(c, y, x, w, st, buf);
}

void canvas_box(struct canvas *c, int y, int x, int h, int w, const char *title)
{
	int used;

	for (int i = 1; i < h - 1; i++) {
		put(c, y + i, x, STYLE_FRAME, 0x2502);
		put(c, y + i, x + w - 1, STYLE_FRAME, 0x2502);
	}
	canvas_fill(c, y, x + 1, w - 2, STYLE_FRAME, 0x2500);
	canvas_fill(c, y + h - 1, x + 1, w - 2, STYLE_FRAME, 0x2500);
	put(c, y, x, STYLE_FRAME, 0x250c);
	put(c, y, x + w - 1, STYLE_FRAME, 0x2510);
	put(c, y + h - 1, x, STYLE_FRAME, 0x2514);
	put(c, y + h - 1, x + w - 1, STYLE_FRAME, 0x2518);
	if (!*title)
		return;
	put(c, y, x + 1, STYLE_FRAME, ' ');
	used = canvas_text(c, y, x + 2, w - 5, STYLE_BOLD, title);
	put(c, y, x + 2 + used, STYLE_FRAME, ' ');
}

/* A number and its unit, with or without a bracket before: "(1.50 s)". */
static bool binds(const char *line, const char *space)
{
	static const char *const units[] = { "ms", "s", "min", "h", "d", "bytes" };
	const char *word = space, *unit = space + 1;
	size_t n = 0;

	while (word > line && word[-1] != ' ')
		word--;
	word += *word == '(';
	while (word < space && ((*word >= '0' && *word <= '9') || *word == '.'))
		word++, n++;
	if (!n || word != space)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i]);

		if (!strncmp(unit, units[i], len) && !(unit[len] >= 'a' && unit[len] <= 'z'))
			return true;
	}
	return false;
}

bool canvas_wrap(const char **s, int w, char *out, size_t cap)
{
	const char *p, *end, *fit = NULL;
	size_t len;
	int n = 0;

	while (**s == ' ')
		(*s)++;
	if (!**s)
		return false;
	for (p = *s; *p && n < w; n++) {
		if (*p == ' ' && !binds(*s, p))
			fit = p;
		next_char(&p);
	}
	/* the whole rest fits, or a word ends here, or a word is longer than the line */
	end = !*p || (*p == ' ' && !binds(*s, p)) || !fit ? p : fit;
	for (len = (size_t)(end - *s); len && (*s)[len - 1] == ' '; len--)
		;
	len = min_size(len, cap - 1);
	memcpy(out, *s, len);
	out[len] = '\0';
	*s = end;
	return true;
}

size_t canvas_utf8(uint32_t ch, char *out)
{
	size_t n = 0;

	if (ch < 0x80) {
		out[n++] = (char)ch;
	} else if (ch < 0x800) {
		out[n++] = (char)(0xc0 | ch >> 6);
		out[n++] = (char)(0x80 | (ch & 0x3f));
	} else {
		out[n++] = (char)(0xe0 | (ch >> 12 & 0x0f));
		out[n++] = (char)(0x80 | (ch >> 6 & 0x3f));
		out[n++] = (char)(0x80 | (ch & 0x3f));
	}
	out[n] = '\0';
	return n;
}

int canvas_write(const struct canvas *c, FILE *to)
{
	for (int y = 0; y < c->rows; y++) {
		int last = c->cols - 1;

		while (last >= 0 && canvas_at(c, y, last)->ch == ' ')
			last--;
		for (int x = 0; x <= last; x++) {
			char utf8[5];

			canvas_utf8(canvas_at(c, y, x)->ch, utf8);
			fputs(utf8, to);
		}
		fputc('\n', to);
	}
	return ferror(to) ? -EIO : 0;
}
