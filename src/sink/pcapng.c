/* SPDX-License-Identifier: BSD-2-Clause */
/* See pcapng.h. Little-endian whatever the host is; readers go by the section's mark. */
#include "sink/pcapng.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sink/ladder.h"

#define BLOCK_SECTION	0x0a0d0d0a /* draft-ietf-opsawg-pcapng 4.1 */
#define BLOCK_INTERFACE 1	   /* 4.2 */
#define BLOCK_STATS	5	   /* 4.5 */
#define BLOCK_PACKET	6	   /* 4.3 */

#define OPT_END	     0
#define OPT_COMMENT  1
#define SHB_USERAPPL 4
#define IF_NAME	     2
#define IF_TSRESOL   9
#define EPB_FLAGS    2
#define ISB_IFRECV   4
#define ISB_IFDROP   5
#define ISB_USRDELIV 8
#define NSEC	     9 /* if_tsresol: 10^-9 s */

/*
 * Not LINKTYPE_RAW: libpcap up to 1.10.3 refuses a second interface of it, for it compares
 * LINKTYPE_RAW with DLT_RAW. The cooked header (16 bytes) has room for what we know:
 * direction and protocol.
 */
#define LINKTYPE_SLL  113
#define SLL_LEN	      16
#define SLL_TO_US     0
#define SLL_BY_US     4
#define ARPHRD_NONE   0xfffe
#define DIRECTION_IN  1
#define DIRECTION_OUT 2

#define OPTION_MAX   65535
#define BLOCK_MAX    (4u << 20)
#define WORDS_MAX    (512u << 20)
#define FINDINGS_MAX 512 /* with a comment of their own in the section; readers bound a block */

struct iface {
	char name[PCAPNG_IFACE_MAX];
	uint64_t seen, kept, left_out;
	uint64_t last_ns;
};

struct pcapng {
	const struct finding *const *f;
	size_t n;
	struct captures c;
	struct iface *ifaces;
	size_t nifaces;
	struct buf words; /* of all packets */
};

void pcapng_free(struct pcapng *p)
{
	if (!p)
		return;
	captures_fini(&p->c);
	free(p->ifaces);
	buf_fini(&p->words);
	free(p);
}

static void pcapng_freep(struct pcapng **p)
{
	pcapng_free(*p);
}

size_t pcapng_packets(const struct pcapng *p)
{
	return p->c.npackets;
}

/* ---- what there is to say ---- */

static int name_ifaces(struct pcapng *p)
{
	size_t cap = 0;

	for (size_t i = 0; i < p->c.ndumps; i++) {
		struct capture_dump *d = &p->c.dumps[i];
		char name[PCAPNG_IFACE_MAX];
		size_t k = 0;

		pcapng_iface_name(name, p->f[d->finding], d->p, d->attempt);
		while (k < p->nifaces && strcmp(p->ifaces[k].name, name) != 0)
			k++;
		if (k == p->nifaces && k == cap) {
			struct iface *more;

			cap = cap * 2 + 8;
			more = reallocarray(p->ifaces, cap, sizeof(*more));
			if (!more)
				return -ENOMEM;
			p->ifaces = more;
		}
		if (k == p->nifaces) {
			p->ifaces[k] = (struct iface){ 0 };
			memcpy(p->ifaces[k].name, name, sizeof(name));
			p->nifaces++;
		}
		d->iface = k;
	}
	return 0;
}

static int by_conn(const void *va, const void *vb)
{
	const struct capture_dump *const *pa = va, *const *pb = vb;
	const struct capture_dump *a = *pa, *b = *pb;

	if (a->iface != b->iface)
		return a->iface < b->iface ? -1 : 1;
	if (a->p->h.cookie != b->p->h.cookie)
		return a->p->h.cookie < b->p->h.cookie ? -1 : 1;
	return a->p->total > b->p->total ? -1 : a->p->total < b->p->total; /* the newest first */
}

/* Of each conn, all packets that came by the recorder until its newest dump. */
static int count_seen(struct pcapng *p)
{
	w5_auto(freep) const struct capture_dump **d = calloc(p->c.ndumps, sizeof(*d));

	if (!d)
		return -ENOMEM;
	for (size_t i = 0; i < p->c.ndumps; i++)
		d[i] = &p->c.dumps[i];
	qsort(d, p->c.ndumps, sizeof(*d), by_conn);
	for (size_t i = 0; i < p->c.ndumps; i++)
		if (!i || d[i]->iface != d[i - 1]->iface ||
		    d[i]->p->h.cookie != d[i - 1]->p->h.cookie)
			p->ifaces[d[i]->iface].seen += d[i]->p->total;
	for (size_t i = 0; i < p->c.ndumps; i++)
		p->ifaces[d[i]->iface].left_out += d[i]->left_out;
	return 0;
}

static void count_kept(struct pcapng *p)
{
	for (size_t i = 0; i < p->c.n; i++) {
		struct iface *in = &p->ifaces[p->c.dumps[p->c.v[i].dump].iface];

		if (p->c.v[i].same != i)
			continue;
		in->kept++;
		in->last_ns = p->c.v[i].wall_ns;
	}
}

/* Captures of one finding lie together until they are sorted. */
static void say_packets(struct pcapng *p, struct ladder *l)
{
	for (size_t i = 0, end; i < p->c.n; i = end) {
		const struct finding *f = p->f[p->c.v[i].finding];

		for (end = i; end < p->c.n && p->c.v[end].finding == p->c.v[i].finding;)
			end++;
		ladder_build(l, f, true);
		for (size_t k = i; k < end; k++) {
			struct capture *c = &p->c.v[k];
			size_t from = p->words.len;

			for (size_t r = 0; r < l->n; r++)
				if (l->rows[r].packet == c->pkt) {
					pcapng_packet_words(&p->words, f, &l->rows[r]);
					break;
				}
			if (p->words.err) /* it goes without a comment */
				buf_cut(&p->words, from);
			c->word_off = from;
			c->word_len = min_size(p->words.len - from, OPTION_MAX);
		}
	}
}

int pcapng_new(struct pcapng **out, const struct finding *const f[], size_t n, bool backend_only,
	       const struct pktfilter *filter)
{
	w5_auto(pcapng_freep) struct pcapng *p = calloc(1, sizeof(*p));
	w5_auto(freep) struct ladder *l = malloc(sizeof(*l));
	int err;

	if (!p || !l)
		return -ENOMEM;
	p->f = f;
	p->n = n;
	buf_init(&p->words, WORDS_MAX);
	p->c.backend_only = backend_only;
	p->c.filter = filter;
	err = captures_collect(&p->c, f, n);
	if (!err)
		err = name_ifaces(p);
	if (!err)
		err = count_seen(p);
	if (err)
		return err;
	say_packets(p, l);
	captures_sort(&p->c);
	count_kept(p);
	*out = take_ptr(p);
	return 0;
}

/* ---- blocks ---- */

struct writer {
	struct buf b; /* the block under way */
	FILE *out;
	uint64_t bytes;
	int err;
};

static void put16(struct buf *b, uint16_t v)
{
	buf_put(b, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

static void put32(struct buf *b, uint32_t v)
{
	put16(b, (uint16_t)v);
	put16(b, (uint16_t)(v >> 16));
}

static void put64(struct buf *b, uint64_t v)
{
	put32(b, (uint32_t)v);
	put32(b, (uint32_t)(v >> 32));
}

static void put_padded(struct buf *b, const void *data, size_t len)
{
	buf_put(b, data, len);
	buf_put(b, "\0\0\0", -len & 3);
}

static void put_option(struct buf *b, uint16_t code, const void *data, size_t len)
{
	len = min_size(len, OPTION_MAX);
	put16(b, code);
	put16(b, (uint16_t)len);
	put_padded(b, data, len);
}

static void put_option64(struct buf *b, uint16_t code, uint64_t v)
{
	put16(b, code);
	put16(b, 8);
	put64(b, v);
}

static void put_end(struct buf *b)
{
	put32(b, OPT_END);
}

/* Stamps are two halves, the high one first, in either byte order. */
static void put_time(struct buf *b, uint64_t ns)
{
	put32(b, (uint32_t)(ns >> 32));
	put32(b, (uint32_t)ns);
}

static void block_begin(struct writer *w, uint32_t type)
{
	buf_cut(&w->b, 0);
	put32(&w->b, type);
	put32(&w->b, 0); /* its length, when it is known */
}

static void block_end(struct writer *w)
{
	uint32_t len = (uint32_t)w->b.len + 4;
	uint8_t le[4] = { (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16),
			  (uint8_t)(len >> 24) };

	buf_put(&w->b, le, 4);
	if (w->b.err) {
		w->err = w->err ? w->err : w->b.err;
		return;
	}
	memcpy(w->b.data + 4, le, 4);
	w->bytes += len;
	if (w->out && fwrite(w->b.data, 1, len, w->out) != len && !w->err)
		w->err = errno ? -errno : -EIO;
}

static void put_section(struct writer *w, const struct pcapng *p)
{
	struct buf words;

	block_begin(w, BLOCK_SECTION);
	put32(&w->b, 0x1a2b3c4d);
	put16(&w->b, 1);
	put16(&w->b, 0);
	put64(&w->b, UINT64_MAX); /* not said: goes on to the end of the file */
	put_option(&w->b, SHB_USERAPPL, "why502 " W5_VERSION, strlen("why502 " W5_VERSION));
	buf_init(&words, OPTION_MAX);
	for (size_t i = 0; i < min_size(p->n, FINDINGS_MAX); i++) {
		buf_cut(&words, 0);
		pcapng_finding_words(&words, p->f[i]);
		put_option(&w->b, OPT_COMMENT, words.data, words.len);
	}
	if (p->n > FINDINGS_MAX) {
		buf_cut(&words, 0);
		buf_printf(&words, "%zu more findings: their packets have their ids and causes",
			   p->n - FINDINGS_MAX);
		put_option(&w->b, OPT_COMMENT, words.data, words.len);
	}
	buf_fini(&words);
	put_end(&w->b);
	block_end(w);
}

static void put_interface(struct writer *w, const struct iface *in)
{
	block_begin(w, BLOCK_INTERFACE);
	put16(&w->b, LINKTYPE_SLL);
	put16(&w->b, 0);
	put32(&w->b, 0); /* snaplen: each packet says what was kept of it */
	put_option(&w->b, IF_NAME, in->name, strlen(in->name));
	put_option(&w->b, IF_TSRESOL, (uint8_t[]){ NSEC }, 1);
	put_end(&w->b);
	block_end(w);
}

/* In network order, whatever the section's is. */
static void put_sll(struct buf *b, const struct w5_packet *p)
{
	const uint8_t h[SLL_LEN] = {
		[1] = p->out ? SLL_BY_US : SLL_TO_US,
		[2] = ARPHRD_NONE >> 8,
		[3] = ARPHRD_NONE & 0xff,
		[14] = p->data[0] >> 4 == 6 ? 0x86 : 0x08,
		[15] = p->data[0] >> 4 == 6 ? 0xdd : 0x00,
	};

	buf_put(b, h, sizeof(h));
}

static void put_packet(struct writer *w, const struct pcapng *p, size_t i)
{
	const struct capture *c = &p->c.v[i];
	uint32_t cap = (uint32_t)capture_len(c->pkt);
	uint8_t flags[4] = { c->pkt->out ? DIRECTION_OUT : DIRECTION_IN };

	block_begin(w, BLOCK_PACKET);
	put32(&w->b, (uint32_t)p->c.dumps[c->dump].iface);
	put_time(&w->b, c->wall_ns);
	put32(&w->b, SLL_LEN + cap);
	put32(&w->b, SLL_LEN + (c->pkt->len > cap ? c->pkt->len : cap));
	put_sll(&w->b, c->pkt);
	put_padded(&w->b, c->pkt->data, cap);
	put_option(&w->b, EPB_FLAGS, flags, 4);
	/* what it means for each of the findings that have it */
	for (size_t k = i; k < p->c.n && p->c.v[k].wall_ns == c->wall_ns; k++)
		if (p->c.v[k].same == i && p->c.v[k].word_len)
			put_option(&w->b, OPT_COMMENT, p->words.data + p->c.v[k].word_off,
				   p->c.v[k].word_len);
	put_end(&w->b);
	block_end(w);
}

static void put_stats(struct writer *w, const struct pcapng *p, size_t i)
{
	const struct iface *in = &p->ifaces[i];
	uint64_t had = in->kept + in->left_out; /* the filter's choice is no loss */

	block_begin(w, BLOCK_STATS);
	put32(&w->b, (uint32_t)i);
	put_time(&w->b, in->last_ns);
	put_option64(&w->b, ISB_IFRECV, max_u64(in->seen, in->kept));
	put_option64(&w->b, ISB_IFDROP, in->seen > had ? in->seen - had : 0);
	put_option64(&w->b, ISB_USRDELIV, in->kept);
	put_end(&w->b);
	block_end(w);
}

int pcapng_write(const struct pcapng *p, FILE *out, uint64_t *bytes)
{
	struct writer w = { .out = out };

	buf_init(&w.b, BLOCK_MAX);
	put_section(&w, p);
	for (size_t i = 0; i < p->nifaces; i++)
		put_interface(&w, &p->ifaces[i]);
	for (size_t i = 0; i < p->c.n && !w.err; i++)
		if (p->c.v[i].same == i)
			put_packet(&w, p, i);
	for (size_t i = 0; i < p->nifaces; i++)
		put_stats(&w, p, i);
	buf_fini(&w.b);
	*bytes = w.bytes;
	return w.err;
}
