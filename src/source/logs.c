/* SPDX-License-Identifier: BSD-2-Clause */
/* See logs.h. */
#include "source/logs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/logconf.h"
#include "source/logfile.h"

#define GATEWAYS_MAX  256
#define ASK_NS	      (2000ull * 1000 * 1000)  /* not oftener: it walks through /proc */
#define ASK_AGAIN_NS  (30000ull * 1000 * 1000) /* when lines stopped to fit: a reload? */
#define STRANGE_LINES 3			       /* in a row, until the format is doubted */

struct gateway {
	uint32_t tgid, group;
	char comm[16];
};

struct log {
	struct logs *l; /* the whole, for callbacks */
	struct logfile *file;
	struct logfmt *fmt[LOGCONF_FORMATS];
	size_t nfmt;
	bool is_given; /* the format */
	bool has_begun;
	bool has_said_missing, has_said_strange;
	uint32_t group; /* the gateway's master, 0 = not known */
	dev_t dev;	/* the file it was asked for */
	ino_t ino;
	uint64_t asked_ns, asked_gateways;
	unsigned int strange; /* lines in a row that did not fit */
	uint64_t skipped;     /* of the file, told already */
	struct w5_log sum;    /* lines that get no record of their own */
	const struct log_clock *clock;
};

struct logs {
	struct logs_ops ops;
	void *self;
	struct log log[LOGS_MAX];
	size_t n;
	struct gateway gw[GATEWAYS_MAX];
	size_t ngw;
	uint64_t gateways_seen; /* grows with each one that is new */
};

__attribute__((format(printf, 3, 4))) static void say(struct logs *l, bool is_warning,
						      const char *fmt, ...)
{
	char text[LOGS_ERR_MAX * 2];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->ops.say(l->self, is_warning, text);
}

int logs_new(struct logs **out, const struct logs_ops *ops, void *self)
{
	struct logs *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->ops = *ops;
	l->self = self;
	*out = l;
	return 0;
}

static void drop_formats(struct log *g)
{
	while (g->nfmt)
		logfmt_free(g->fmt[--g->nfmt]);
}

void logs_free(struct logs *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++) {
		drop_formats(&l->log[i]);
		logfile_close(l->log[i].file);
	}
	free(l);
}

/* ---- the format ---- */

static int given_format(struct log *g, const char *format, char err[LOGS_ERR_MAX])
{
	char why[LOGFMT_ERR_MAX] = "";
	enum w5_log_kind kind;
	int rc;

	if (!format || !strcmp(format, "auto"))
		return 0;
	rc = logfmt_named(&g->fmt[0], format);
	if (rc == -ENOENT) {
		kind = logfmt_kind_of(format);
		if (!kind)
			snprintf(why, sizeof(why),
				 "it is no word of nginx, combined, apache, haproxy, caddy, auto, "
				 "and no format string");
		rc = kind ? logfmt_new(&g->fmt[0], kind, format, why) : -EINVAL;
	}
	if (rc == -EINVAL)
		snprintf(err, LOGS_ERR_MAX, "the log format '%.80s' cannot be used: %s", format,
			 why);
	else if (rc)
		snprintf(err, LOGS_ERR_MAX, "out of memory");
	if (rc)
		return rc;
	g->nfmt = 1;
	g->is_given = true;
	return 0;
}

int logs_add(struct logs *l, const char *path, const char *format, char err[LOGS_ERR_MAX])
{
	struct log *g = &l->log[l->n];
	int rc;

	if (l->n == LOGS_MAX) {
		snprintf(err, LOGS_ERR_MAX, "more than %d access logs", LOGS_MAX);
		return -E2BIG;
	}
	*g = (struct log){ .l = l };
	rc = given_format(g, format, err);
	if (rc)
		return rc;
	rc = logfile_open(&g->file, path);
	if (rc == -EINVAL)
		snprintf(err, LOGS_ERR_MAX,
			 "%.160s is no regular file: a pipe's lines would be missing elsewhere; "
			 "name a file the gateway writes",
			 path);
	else if (rc)
		snprintf(err, LOGS_ERR_MAX, "cannot follow %.160s: %s", path, strerror(-rc));
	if (rc) {
		drop_formats(g);
		return rc;
	}
	l->n++;
	return 0;
}

static void take_found(struct log *g, const struct logconf_found *found)
{
	drop_formats(g);
	memcpy(g->fmt, found->fmt, sizeof(g->fmt));
	g->nfmt = found->n;
	g->strange = 0;
	g->has_said_strange = false;
	say(g->l, false, "%.160s: format \"%s\" of %.160s", logfile_path(g->file), found->name,
	    found->file);
}

/* What the gateway's own configuration says, or what such a gateway writes by default. */
static void ask_format(struct log *g, const struct gateway *gw)
{
	static int (*const readers[])(struct logconf_found *, const struct logconf *) = {
		[W5_LOG_NGINX] = logconf_nginx,
		[W5_LOG_APACHE] = logconf_apache,
		[W5_LOG_CADDY] = NULL,
	};
	static const char *const words[] = { [W5_LOG_NGINX] = "nginx",
					     [W5_LOG_HAPROXY] = "haproxy",
					     [W5_LOG_APACHE] = "apache",
					     [W5_LOG_CADDY] = "caddy" };
	const struct logconf what = { .pid = gw->group, .dev = g->dev, .ino = g->ino };
	enum w5_log_kind kind = logconf_kind(gw->comm);
	struct logconf_found found;

	if (g->is_given || !kind)
		return;
	if (kind < ARRAY_SIZE(readers) && readers[kind] && !readers[kind](&found, &what)) {
		take_found(g, &found);
		return;
	}
	if (g->nfmt || logfmt_named(&g->fmt[0], words[kind]))
		return;
	g->nfmt = 1;
	say(g->l, false, "%.160s: taken for the default format of %s; --log-format names another",
	    logfile_path(g->file), gw->comm);
}

/* Who has the file open? Masters first: they hold few descriptors. */
static const struct gateway *find_owner(const struct log *g)
{
	const struct logs *l = g->l;

	for (int workers = 0; workers < 2; workers++) {
		for (size_t i = 0; i < l->ngw; i++) {
			const struct gateway *gw = &l->gw[i];

			if ((gw->tgid != gw->group) == workers &&
			    logconf_holds(gw->tgid, g->dev, g->ino))
				return gw;
		}
	}
	return NULL;
}

static void ask_owner(struct log *g, uint64_t now_ns)
{
	const struct gateway *gw;
	dev_t dev;
	ino_t ino;
	bool due = !g->asked_ns || now_ns - g->asked_ns >= ASK_NS;
	bool doubt = !g->is_given && g->strange >= STRANGE_LINES &&
		     now_ns - g->asked_ns >= ASK_AGAIN_NS;

	if (!logfile_id(g->file, &dev, &ino) || !due)
		return;
	if (g->group && !doubt)
		return;
	if (g->dev == dev && g->ino == ino && g->asked_gateways == g->l->gateways_seen && !doubt)
		return;
	g->dev = dev;
	g->ino = ino;
	g->asked_ns = now_ns;
	g->asked_gateways = g->l->gateways_seen;
	gw = find_owner(g);
	if (!gw)
		return;
	g->group = gw->group;
	ask_format(g, gw);
}

void logs_gateway(struct logs *l, const struct w5_gateway *g)
{
	struct gateway *gw = NULL;

	for (size_t i = 0; i < l->ngw && !gw; i++)
		gw = l->gw[i].tgid == g->tgid ? &l->gw[i] : NULL;
	if (g->flags & W5_GW_ENDED) {
		for (size_t i = 0; i < l->n; i++) {
			if (l->log[i].group == g->tgid)
				l->log[i].group = 0;
		}
		if (gw)
			*gw = l->gw[--l->ngw];
		return;
	}
	if (!gw && l->ngw == GATEWAYS_MAX)
		return;
	if (!gw) {
		gw = &l->gw[l->ngw++];
		l->gateways_seen++;
	}
	*gw = (struct gateway){ .tgid = g->tgid, .group = g->group ? g->group : g->tgid };
	memcpy(gw->comm, g->comm, sizeof(gw->comm) - 1);
}

/* ---- lines ---- */

/* Gives the lines counted so far to this record. */
static void send(struct log *g, struct w5_log *rec)
{
	rec->h = (struct w5_hdr){ .ts_ns = g->clock->now_ns,
				  .type = W5_REC_LOG,
				  .size = sizeof(*rec) };
	rec->group = g->group;
	rec->skipped = g->sum.skipped;
	memcpy(rec->healthy, g->sum.healthy, sizeof(rec->healthy));
	memset(&g->sum, 0, sizeof(g->sum));
	g->has_begun = true;
	g->l->ops.record(g->l->self, &rec->h);
}

/* Says it once, and with the line's begin: what is wrong with it shows there. */
static void on_strange(struct log *g, const char *line, size_t len)
{
	char begin[81];
	size_t n = min_size(len, sizeof(begin) - 1);

	g->sum.skipped++;
	if (++g->strange < STRANGE_LINES || g->has_said_strange)
		return;
	g->has_said_strange = true;
	memcpy(begin, line, n);
	begin[n] = '\0';
	say(g->l, true,
	    "lines of %.160s do not fit the format (%s): they are counted and left out, "
	    "--log-format names the format; one begins: %s",
	    logfile_path(g->file), g->nfmt ? logfmt_name(g->fmt[0]) : "none known", begin);
}

static void on_line(void *self, const char *line, size_t len)
{
	struct log *g = self;
	int rc = -EBADMSG;
	struct w5_log rec;

	if (!len)
		return;
	if (!g->nfmt && !g->is_given) {
		g->fmt[0] = logfmt_guess(line, len);
		g->nfmt = g->fmt[0] != NULL;
		if (g->nfmt)
			say(g->l, false,
			    "%.160s: looks like the %s format; --log-format names another",
			    logfile_path(g->file), logfmt_name(g->fmt[0]));
	}
	for (size_t i = 0; i < g->nfmt && rc == -EBADMSG; i++)
		rc = logfmt_read(g->fmt[i], line, len, g->clock, &rec);
	if (rc == -ENOMSG)
		return;
	if (rc) {
		on_strange(g, line, len);
		return;
	}
	g->strange = 0;
	g->sum.kind = rec.kind;
	if (rec.status < 500)
		g->sum.healthy[rec.status / 100]++;
	else
		send(g, &rec);
}

static void poll_one(struct log *g, const struct log_clock *clock)
{
	uint64_t skipped;
	int rc;

	g->clock = clock;
	ask_owner(g, clock->now_ns);
	rc = logfile_poll(g->file, clock->now_ns, on_line, g);
	if (rc && !g->has_said_missing) {
		say(g->l, true, "cannot read %.160s: %s; waiting for it", logfile_path(g->file),
		    strerror(-rc));
		g->has_said_missing = true;
	}
	skipped = logfile_skipped(g->file);
	g->sum.skipped += (uint32_t)(skipped - g->skipped);
	g->skipped = skipped;
	/* The first one says that a log is followed from now on. */
	if (g->sum.skipped || g->sum.kind || !g->has_begun) {
		struct w5_log rec = { .kind = g->sum.kind };

		send(g, &rec);
	}
}

void logs_poll(struct logs *l, const struct log_clock *clock)
{
	for (size_t i = 0; i < l->n; i++)
		poll_one(&l->log[i], clock);
}
