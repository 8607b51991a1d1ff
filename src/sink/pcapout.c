/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See pcapout.h. Flight-recorder dumps come from the kernel ring or from a trace file,
 * so every number in them is checked here again.
 */
#include "sink/pcapout.h"

#include <errno.h>
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#define PCAP_FILE_HEADER 24 /* bytes, pcap-savefile(5) */
#define PCAP_PKT_HEADER	 16
#define NSEC_PER_SEC	 1000000000ull

struct capture {
	uint64_t wall_ns, ts_ns, cookie;
	size_t pos; /* in the order found: keeps packets of one instant in place */
	const struct w5_packet *pkt;
};

struct captures {
	struct capture *v;
	size_t n, cap;
	uint64_t bytes; /* of the file */
};

static void captures_fini(struct captures *c)
{
	free(c->v);
	*c = (struct captures){ 0 };
}

static size_t captured_len(const struct w5_packet *p)
{
	return min_size(p->cap, sizeof(p->data));
}

static bool is_ip(const struct w5_packet *p)
{
	return captured_len(p) && (p->data[0] >> 4 == 4 || p->data[0] >> 4 == 6);
}

static int captures_add(struct captures *c, const struct flight *flight, uint64_t offset_ns)
{
	const struct w5_packets *p;
	uint32_t first;

	if (!flight)
		return 0;
	p = &flight->p;
	first = p->total > W5_PKT_SLOTS ? p->total - W5_PKT_SLOTS : 0;
	if (c->cap - c->n < W5_PKT_SLOTS) {
		size_t cap = c->cap * 2 + 4 * W5_PKT_SLOTS;
		struct capture *v = reallocarray(c->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		c->v = v;
		c->cap = cap;
	}
	for (uint32_t i = first; i != p->total; i++) {
		const struct w5_packet *pkt = &p->pkt[i % W5_PKT_SLOTS];

		if (!is_ip(pkt))
			continue; /* a slot that was being written when the dump was made */
		c->v[c->n] = (struct capture){
			.wall_ns = pkt->ts_ns + offset_ns,
			.ts_ns = pkt->ts_ns,
			.cookie = p->h.cookie,
			.pos = c->n,
			.pkt = pkt,
		};
		c->n++;
	}
	return 0;
}

static int by_time(const void *va, const void *vb)
{
	const struct capture *a = va, *b = vb;

	if (a->wall_ns != b->wall_ns)
		return a->wall_ns < b->wall_ns ? -1 : 1;
	return a->pos < b->pos ? -1 : a->pos > b->pos;
}

/* Two dumps of one conn, made at different times, share packets. */
static bool is_same_packet(const struct capture *a, const struct capture *b)
{
	return a->cookie == b->cookie && a->ts_ns == b->ts_ns && a->pkt->out == b->pkt->out &&
	       a->pkt->len == b->pkt->len &&
	       !memcmp(a->pkt->data, b->pkt->data,
		       min_size(captured_len(a->pkt), captured_len(b->pkt)));
}

static void captures_sort(struct captures *c)
{
	size_t kept = 0;

	if (c->n)
		qsort(c->v, c->n, sizeof(*c->v), by_time);
	c->bytes = PCAP_FILE_HEADER;
	for (size_t i = 0; i < c->n; i++) {
		size_t k = kept;
		bool is_known = false;

		while (!is_known && k && c->v[k - 1].wall_ns == c->v[i].wall_ns)
			is_known = is_same_packet(&c->v[--k], &c->v[i]);
		if (is_known)
			continue;
		c->v[kept++] = c->v[i];
		c->bytes += PCAP_PKT_HEADER + captured_len(c->v[i].pkt);
	}
	c->n = kept;
}

static int captures_of(struct captures *c, const struct finding *const f[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t offset_ns = f[i]->wall_ns ? f[i]->wall_ns - f[i]->ts_ns : 0;
		int err = captures_add(c, f[i]->flight, offset_ns);

		for (size_t k = 0; !err && k < f[i]->nattempts; k++)
			err = captures_add(c, f[i]->attempts[k].flight, offset_ns);
		if (err)
			return err;
	}
	captures_sort(c);
	return c->n ? 0 : -ENODATA;
}

static int captures_dump(const struct captures *c, FILE *file)
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
		uint32_t cap = (uint32_t)captured_len(pkt);
		struct pcap_pkthdr h = {
			.ts.tv_sec = (time_t)(c->v[i].wall_ns / NSEC_PER_SEC),
			/* nanoseconds: what the precision above says */
			.ts.tv_usec = (suseconds_t)(c->v[i].wall_ns % NSEC_PER_SEC),
			.caplen = cap,
			.len = pkt->len > cap ? pkt->len : cap,
		};

		pcap_dump((unsigned char *)d, &h, pkt->data);
	}
	err = pcap_dump_flush(d) || ferror(file) ? -(errno ? errno : EIO) : 0;
	pcap_close(p);
	return err;
}

/* Whole or not at all: a file of another name that is renamed when complete. */
static int captures_save(const struct captures *c, const char *path)
{
	w5_auto(freep) char *tmp = NULL;
	w5_auto(fclosep) FILE *file = NULL;
	int fd, err;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0) {
		tmp = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(tmp, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "w");
	if (!file) {
		err = -errno;
		close(fd);
	} else {
		errno = 0;
		err = captures_dump(c, file);
		if (fclose(take_ptr(file)) && !err)
			err = -errno;
	}
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

int pcap_save(const char *path, const struct finding *const f[], size_t n, size_t *npackets)
{
	w5_auto(captures_fini) struct captures c = { 0 };
	int err = captures_of(&c, f, n);

	if (!err)
		err = captures_save(&c, path);
	if (npackets)
		*npackets = err ? 0 : c.n;
	return err;
}

void pcap_name(char out[PCAP_NAME_MAX], const struct finding *f)
{
	time_t sec = (time_t)(f->wall_ns / NSEC_PER_SEC);
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
	snprintf(out + n, PCAP_NAME_MAX - n, ".%06u-%s-%s-%llu.pcap",
		 (unsigned)(f->wall_ns % NSEC_PER_SEC / 1000), status, cause_name(f->cause),
		 (unsigned long long)f->id);
}

/* ---- the sink of --pcap-dir ---- */

struct pcap_dir {
	int refs;
	char *dir;
	uint64_t max_files, max_bytes;
	struct pcap_dir_stats stats;
	char *saved; /* path of the file written last, or NULL */
	uint64_t saved_id;
};

/* What the engine counts as bad: an exchange that a retry saved, or that the client
 * gave up, would use up the bounds. */
bool pcap_is_wanted(const struct finding *f)
{
	return f->verdict != VERDICT_RECOVERED && f->verdict != VERDICT_CLIENT;
}

static int on_finding(void *self, struct finding *f)
{
	const struct finding *one[] = { f };
	w5_auto(captures_fini) struct captures c = { 0 };
	struct pcap_dir *d = self;
	char name[PCAP_NAME_MAX], *path = NULL;
	int err;

	if (!pcap_is_wanted(f))
		return 0;
	err = captures_of(&c, one, 1);
	if (err == -ENODATA)
		return 0;
	if (!err && (d->stats.files >= d->max_files || d->stats.bytes + c.bytes > d->max_bytes)) {
		d->stats.skipped++;
		return 0;
	}
	pcap_name(name, f);
	if (!err && asprintf(&path, "%s/%s", d->dir, name) < 0) {
		path = NULL;
		err = -ENOMEM;
	}
	if (!err)
		err = captures_save(&c, path);
	if (err) {
		free(path);
		d->stats.failed++;
		return err;
	}
	d->stats.files++;
	d->stats.bytes += c.bytes;
	d->stats.packets += c.n;
	free(d->saved);
	d->saved = path;
	d->saved_id = f->id;
	return 0;
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
	free(d->saved);
	free(d->dir);
	free(d);
}

static void on_close(void *self, const struct engine *e)
{
	(void)e;
	pcap_dir_unref(self);
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
	*out = (struct sink){ .ops = &pcap_dir_ops, .self = take_ptr(d) };
	return 0;
}

void pcap_dir_stats(const struct pcap_dir *d, struct pcap_dir_stats *out)
{
	*out = d->stats;
}

const char *pcap_dir_saved(const struct pcap_dir *d, const struct finding *f)
{
	return d->saved && d->saved_id == f->id ? d->saved : NULL;
}
