/* SPDX-License-Identifier: BSD-2-Clause */
/* See pcapout.h. */
#include "sink/pcapout.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/save.h"
#include "base/util.h"
#include "sink/burst.h"
#include "sink/pcapng.h"

#define PCAP_FILE_HEADER 24 /* bytes, pcap-savefile(5) */
#define PCAP_PKT_HEADER	 16

static const char *const endings[] = {
	[PCAP_FORMAT_PCAPNG] = "pcapng",
	[PCAP_FORMAT_PCAP] = "pcap",
};

enum pcap_format pcap_format_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && !strcmp(dot, ".pcap") ? PCAP_FORMAT_PCAP : PCAP_FORMAT_PCAPNG;
}

const char *pcap_format_ending(enum pcap_format format)
{
	return endings[format];
}

/* What is to be written, in either format. */
struct contents {
	struct captures c; /* classic */
	struct pcapng *ng; /* or this */
	size_t npackets;
	uint64_t bytes;
};

static void contents_fini(struct contents *c)
{
	captures_fini(&c->c);
	pcapng_free(take_ptr(c->ng));
}

static int contents_of(struct contents *c, enum pcap_format format, bool backend_only,
		       const struct pktfilter *filter, const struct finding *const f[], size_t n)
{
	int err;

	if (format == PCAP_FORMAT_PCAPNG) {
		err = pcapng_new(&c->ng, f, n, backend_only, filter);
		if (err)
			return err;
		c->npackets = pcapng_packets(c->ng);
		return pcapng_write(c->ng, NULL, &c->bytes);
	}
	c->c.backend_only = backend_only;
	c->c.filter = filter;
	err = captures_collect(&c->c, f, n);
	if (err)
		return err;
	captures_sort(&c->c);
	c->npackets = c->c.npackets;
	c->bytes = PCAP_FILE_HEADER;
	for (size_t i = 0; i < c->c.n; i++)
		if (c->c.v[i].same == i)
			c->bytes += PCAP_PKT_HEADER + capture_len(c->c.v[i].pkt);
	return 0;
}

static int classic_write(const struct captures *c, FILE *file)
{
	pcap_t *p =
		pcap_open_dead_with_tstamp_precision(DLT_RAW, 65535, PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *d;
	int err;

	if (!p)
		return -ENOMEM;
	d = pcap_dump_fopen(p, file); /* does not close file when it fails */
	if (!d) {
		pcap_close(p);
		return -EIO;
	}
	for (size_t i = 0; i < c->n; i++) {
		const struct w5_packet *pkt = c->v[i].pkt;
		uint32_t cap = (uint32_t)capture_len(pkt);
		struct pcap_pkthdr h = {
			.ts.tv_sec = (time_t)(c->v[i].wall_ns / NS_PER_S),
			/* nanoseconds: what the precision above says */
			.ts.tv_usec = (suseconds_t)(c->v[i].wall_ns % NS_PER_S),
			.caplen = cap,
			.len = pkt->len > cap ? pkt->len : cap,
		};

		if (c->v[i].same == i)
			pcap_dump((unsigned char *)d, &h, pkt->data);
	}
	err = pcap_dump_flush(d) || ferror(file) ? -(errno ? errno : EIO) : 0;
	pcap_close(p);
	return err;
}

static int contents_write(void *self, FILE *file)
{
	const struct contents *c = self;
	uint64_t bytes;

	return c->ng ? pcapng_write(c->ng, file, &bytes) : classic_write(&c->c, file);
}

int pcap_save_as(const char *path, enum pcap_format format, bool backend_only,
		 const struct pktfilter *filter, const struct finding *const f[], size_t n,
		 size_t *npackets)
{
	w5_auto(contents_fini) struct contents c = { 0 };
	int err = contents_of(&c, format, backend_only, filter, f, n);

	if (!err)
		err = save_file(path, contents_write, &c);
	if (npackets)
		*npackets = err ? 0 : c.npackets;
	return err;
}

int pcap_save(const char *path, const struct finding *const f[], size_t n, size_t *npackets)
{
	return pcap_save_as(path, pcap_format_of(path), false, NULL, f, n, npackets);
}

void pcap_name(char out[PCAP_NAME_MAX], const struct finding *f, enum pcap_format format)
{
	time_t sec = (time_t)(f->wall_ns / NS_PER_S);
	/* what the client got: nothing, or bytes that are no HTTP */
	char status[8] = "silent";
	struct tm tm = { 0 };
	size_t n;

	gmtime_r(&sec, &tm);
	if (f->status)
		snprintf(status, sizeof(status), "%u", f->status);
	else if (f->down.resp_bytes)
		snprintf(status, sizeof(status), "none");
	n = strftime(out, PCAP_NAME_MAX, "%Y%m%d-%H%M%S", &tm);
	snprintf(out + n, PCAP_NAME_MAX - n, ".%06u-%s-%s-%llu.%s",
		 (unsigned)(f->wall_ns % NS_PER_S / 1000), status, cause_name(f->cause),
		 (unsigned long long)f->id, pcap_format_ending(format));
}

/* ---- the sink of --pcap-dir ---- */

struct pcap_dir {
	int refs;
	char *dir;
	uint64_t max_files, max_bytes;
	enum pcap_format format;
	const struct pktfilter *filter;
	struct pcap_dir_stats stats;
	struct burst burst;
	char *saved; /* path of the file written last, or NULL */
	uint64_t saved_id;
};

/* What the engine counts as bad: an exchange that a retry saved, or that the client
 * gave up, would use up the bounds. */
bool pcap_is_wanted(const struct finding *f)
{
	return f->verdict != VERDICT_RECOVERED && f->verdict != VERDICT_CLIENT;
}

static bool has_packets(const struct finding *f)
{
	for (size_t i = 0; i < f->nattempts; i++) {
		if (f->attempts[i].flight)
			return true;
	}
	return f->flight;
}

static int save_one(struct pcap_dir *d, struct finding *f, bool is_asked)
{
	const struct finding *one[] = { f };
	w5_auto(contents_fini) struct contents c = { 0 };
	char name[PCAP_NAME_MAX], *path = NULL;
	int err;

	err = contents_of(&c, d->format, false, d->filter, one, 1);
	if (err == -ENODATA)
		return 0;
	/* Packets that match decide only now: one without any takes no place in a burst. */
	if (!err && d->filter && !is_asked && !burst_take(&d->burst, f))
		return 0;
	if (!err && (d->stats.files >= d->max_files || d->stats.bytes + c.bytes > d->max_bytes)) {
		d->stats.skipped++;
		return 0;
	}
	pcap_name(name, f, d->format);
	if (!err && asprintf(&path, "%s/%s", d->dir, name) < 0) {
		path = NULL;
		err = -ENOMEM;
	}
	if (!err)
		err = save_file(path, contents_write, &c);
	if (err) {
		free(path);
		d->stats.failed++;
		return err;
	}
	d->stats.files++;
	d->stats.bytes += c.bytes;
	d->stats.packets += c.npackets;
	free(d->saved);
	d->saved = path;
	d->saved_id = f->id;
	return 0;
}

static int on_finding(void *self, struct finding *f)
{
	struct pcap_dir *d = self;

	if (!pcap_is_wanted(f) || !has_packets(f) || (!d->filter && !burst_take(&d->burst, f)))
		return 0;
	return save_one(d, f, false);
}

struct pcap_dir *pcap_dir_ref(const struct sink *s)
{
	struct pcap_dir *d = s->self;

	d->refs++;
	return d;
}

void pcap_dir_unref(struct pcap_dir *d)
{
	if (!d || --d->refs)
		return;
	burst_fini(&d->burst);
	free(d->saved);
	free(d->dir);
	free(d);
}

static void on_close(void *self, const struct engine *e)
{
	struct pcap_dir *d = self;
	struct finding *f;

	(void)e;
	while ((f = burst_newest(&d->burst))) {
		save_one(d, f, true); /* an error is counted there */
		finding_unref(f);
	}
	pcap_dir_unref(d);
}

static const struct sink_ops pcap_dir_ops = {
	.name = "pcap-dir",
	.finding = on_finding,
	.close = on_close,
};

/* Made where it is missing, but not what is above it. */
static int dir_open(const char *dir)
{
	struct stat st;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return -errno;
	if (stat(dir, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return access(dir, W_OK | X_OK) ? -errno : 0;
}

int pcap_dir_new(struct sink *out, const struct pcap_dir_cfg *cfg)
{
	w5_auto(freep) struct pcap_dir *d = calloc(1, sizeof(*d));

	int err;

	if (!d)
		return -ENOMEM;
	err = dir_open(cfg->dir);
	if (err)
		return err;
	d->dir = strdup(cfg->dir);
	if (!d->dir)
		return -ENOMEM;
	d->refs = 1;
	d->max_files = cfg->max_files;
	d->max_bytes = cfg->max_bytes;
	d->format = cfg->format;
	d->filter = cfg->filter;
	*out = (struct sink){ .ops = &pcap_dir_ops, .self = take_ptr(d) };
	return 0;
}

void pcap_dir_stats(const struct pcap_dir *d, struct pcap_dir_stats *out)
{
	*out = d->stats;
	out->alike = d->burst.passed;
}

const char *pcap_dir_saved(const struct pcap_dir *d, const struct finding *f)
{
	return d->saved && d->saved_id == f->id ? d->saved : NULL;
}
