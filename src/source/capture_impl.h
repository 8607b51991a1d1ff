/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of capture share. capture_scan.c finds the gateways, capture_track.c follows
 * conns (known by capture_id.c), capture_order.c puts their bytes in order, capture_turn.c makes
 * turns of them as bpf/turn.h does, capture_answer.c reads how an answer begins and ends,
 * capture_conn.c follows how conns do, capture_tell.c makes records, capture_owner.c ends connects
 * that nobody answered.
 *
 * struct capture owns everything; a conn owns its sides.
 */
#ifndef SOURCE_CAPTURE_IMPL_H
#define SOURCE_CAPTURE_IMPL_H

#include "base/hash.h"
#include "base/list.h"
#include "base/packet.h"
#include "base/util.h"
#include "source/capture.h"
#include "w5_turn.h"

#define CONNS_MAX    32768	   /* followed at a time; the longest silent gives way */
#define QUEUE_MAX    64		   /* segments ahead of a missing one, per direction */
#define SEG_KEEP     (W5_HEAD_REQ) /* bytes of a queued segment's payload that can matter */
#define SERVICES_MAX 64		   /* addresses gateways are asked at */
#define SOURCES_MAX  64		   /* addresses they connect from */

#define FAILED_MAX 4

/* A conn by its ends: the first member of what a hash keeps by them. */
struct conn_id {
	struct conn_id *twin; /* another conn, same key */
	uint64_t key;
	struct w5_addr ip[2]; /* [0] opened it */
	uint16_t port[2];
	uint32_t isn; /* where a conn is told from the next on the same ports; else 0 */
};

struct peer {
	struct w5_addr ip;
	uint16_t port;
};

/* One TCP segment, or the part of it that is new. */
struct seg {
	uint64_t ts_ns;
	uint32_t seq, ack;
	uint32_t payload; /* bytes */
	uint16_t win, ipid, mss;
	uint8_t flags, ttl;
	const uint8_t *data; /* of the payload */
	size_t cap;	     /* bytes readable there */
	/* The last four bytes of the payload, the newest lowest: whether or not they are in cap */
	uint32_t tail;
	uint8_t ntail;	 /* so many of them are known */
	uint32_t sacked; /* bytes that the sender says it has beyond ones it lacks */
};

/* Without its first n bytes. */
static inline void seg_skip(struct seg *s, uint32_t n)
{
	size_t kept = n < s->cap ? n : s->cap;

	s->seq += n;
	s->payload -= n;
	s->data += kept;
	s->cap -= kept;
}

/* A gateway's end of a conn: the turn as the kernel side keeps it, bpf/maps.h. */
struct side {
	struct w5_leg leg;
	struct w5_packets flight;
	struct track *t;
	int end;	  /* which end of t */
	struct list node; /* capture.asked, .dead or .leaving */
	uint32_t packets;
	uint32_t req_seq;
	uint32_t sent_again, sent_again0;
	bool reported, closed; /* a terminal record went out; the gateway closed */
	bool is_deaf;	       /* not HTTP: leave it alone */
	bool is_unread;	       /* counted as one that cannot be read */
	bool is_interim;       /* in the header of an interim response .. */
	uint8_t after_lf;      /* .. and a line of it ended just before */
	bool is_blind;	       /* where such a header ends is not in the capture */
	uint32_t tail;	       /* of the response so far: as in struct seg */
	uint8_t ntail;
	int gw;
	/* upstream: what came after the gateway had closed, and had no answer */
	uint64_t late_ns;
	uint32_t late_bytes;
	uint16_t late_status;
	struct side *owner; /* upstream: the client's conn its turn is for; NULL = not known */
	struct list by_owner;
	/* a connect that is never answered: when its last SYN was sent */
	uint64_t last_syn_ns;
	uint64_t target, route; /* keys of its request's; 0 = none */
	struct list tries;	/* downstream: .by_owner of what is under way for it */
	uint64_t waits_ns; /* downstream: since then the gateway's next step is due; 0 = taken */
	/* downstream: where its last tries failed, or may have, if nothing followed */
	struct peer failed[FAILED_MAX];
	size_t nfailed;
	bool is_suspect;    /* a connect was its, or another's */
	bool has_failed;    /* the first of these is sure */
	uint64_t next_ns;   /* when the gateway went on to its next try */
	uint64_t leaves_ns; /* when its exchange was answered without it */
};

/* One direction of a conn. */
struct flow {
	bool begun; /* next is known */
	bool has_window;
	uint32_t next;	/* first byte not yet seen in order */
	uint32_t acked; /* by the other end */
	bool has_acked;
	uint32_t fin_seq; /* behind the last byte */
	bool has_fin, fin_done;
	struct seg fin;	  /* while bytes before it are missing */
	uint32_t window;  /* of whoever sends in this direction */
	uint32_t sacked;  /* bytes that one has beyond ones it lacks */
	uint64_t sent_ns; /* for the round trip: when .. */
	uint32_t rtt_end; /* .. the byte before this one was sent */
	bool rtt_runs;
	uint64_t again_ns; /* last retransmit, or first copy, of the oldest byte */
	struct list queue; /* queued, in order of seq */
	size_t nqueued;
};

struct queued {
	struct list node;
	struct seg s;
	uint8_t data[SEG_KEEP];
};

struct track {
	struct conn_id conn;
	struct list lru;      /* capture.lru or .over */
	struct flow flow[2];  /* [i]: sent by end i */
	struct side *side[2]; /* of gateways; NULL where end i is none */
	uint32_t isn;
	uint32_t srtt_us;
	bool has_syn, from_seen[2], has_data, is_over;
	uint64_t last_ns;
};

/* A connect without any answer in the whole capture. */
struct unanswered {
	struct conn_id conn;
	uint64_t last_syn_ns;
};

struct service {
	struct w5_addr ip;
	uint16_t port;
	int gw;
};
struct source {
	struct w5_addr ip;
	int gw;
};

struct scan;

struct capture {
	struct capture_cfg cfg;
	struct capture_ops ops;
	void *self;
	struct scan *scan; /* first pass */
	uint64_t last_ts_ns;

	/* what the first pass found out */
	struct service services[SERVICES_MAX];
	size_t nservices;
	struct source sources[SOURCES_MAX];
	size_t nsources;
	size_t ngws;
	/* how often: requests of a route, conns to a peer, both within a moment */
	struct hash routes, peers, pairs;
	uint64_t first_ns, end_ns;
	struct hash servers;	/* key of address and port: somebody connected there */
	struct hash unanswered; /* by conn and initial sequence number */
	/* second pass, key of a peer: when a gateway's conn there was last established (uint64_t *) */
	struct hash established;

	/* second pass */
	struct hash tracks;
	struct list lru, over;
	size_t ntracks;
	struct list asked, dead, leaving;
	uint64_t cookies;
	uint64_t now_ns, ticked_ns, swept_ns;
	bool has_begun;
	struct w5_capture n;
	uint64_t evicted;
	uint64_t tls_conns, h2_conns;
	int rc; /* what the record callback said */
	/* packets seen lately: one may be captured twice */
	struct {
		uint64_t hash, ts_ns;
	} lately[1024];
};

uint64_t capture_server_key(const struct w5_addr *ip, uint16_t port);
static inline bool capture_same_ip(const struct w5_addr *a, const struct w5_addr *b)
{
	return !__builtin_memcmp(a, b, sizeof(*a));
}
/* ---- capture_id.c ---- */
struct conn_id conn_id(const struct w5_addr ip[2], const uint16_t port[2], uint32_t isn);
/* from: which end sent the packet. */
struct conn_id conn_id_of(const struct packet *p, int from);
/* Which end sent it, where the conn is not known yet: -1 cannot be told. */
int conn_id_from(const struct capture *c, const struct packet *p, const uint8_t *ip);
struct conn_id *conn_id_find(const struct hash *h, const struct conn_id *id);
/* The conn of a packet, and (in *from) which end sent it. */
struct conn_id *conn_id_find_packet(const struct hash *h, const struct packet *p, int *from);
int conn_id_add(struct hash *h, struct conn_id *id); /* 0 or -ENOMEM; borrowed till removed */
void conn_id_remove(struct hash *h, struct conn_id *id);

/* ---- capture_route.c ---- */
#define ROUTE_PROMPT_NS NS_PER_MS
#define ROUTE_WINDOW_NS (10 * NS_PER_MS) /* from a request read to the connect for it */
/* Of the Host and the first segment of the path: requests that share it share their backends. */
uint64_t capture_route_key(const uint8_t *head, size_t len);
void route_count(struct hash *h, uint64_t key);
void route_pair(struct capture *c, uint64_t route, uint64_t peer, uint64_t after_ns);
void route_prompt(struct capture *c, uint64_t peer); /* some request was just before the conn */
/* Do requests of this route go with connects to this peer more often than by chance? */
bool route_goes_to(const struct capture *c, uint64_t route, uint64_t peer);
/* Of the target in a request's head; 0 = there is none. */
uint64_t capture_target_key(const uint8_t *head, size_t len);
void capture_say(struct capture *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* An ICMP error about a conn. */
struct icmp_error {
	struct w5_addr from;
	uint8_t type, code;
	int err; /* errno a kernel has for it */
};
/* ---- capture_scan.c ---- */
void capture_scan_free(struct capture *c);
/* Group of the gateway that end is of, or -1. */
int capture_service_gw(const struct capture *c, const struct w5_addr *ip, uint16_t port);
int capture_source_gw(const struct capture *c, const struct w5_addr *ip);
const struct unanswered *capture_unanswered(const struct capture *c, const struct track *t);

/* ---- capture_track.c ---- */
void capture_packet(struct capture *c, const struct packet *p, const uint8_t *ip, size_t cap,
		    size_t len, uint64_t ts_ns, bool is_cut);
bool capture_icmp_parse(struct icmp_error *e, struct conn_id *about, const uint8_t *ip, size_t cap);
void capture_icmp(struct capture *c, const uint8_t *ip, size_t cap, uint64_t ts_ns);
void capture_tracks_free(struct capture *c);

/* ---- capture_order.c ---- */
/* A segment of this conn, sent by end `from`: its sides hear of what is new, in order. */
void order_segment(struct capture *c, struct track *t, int from, struct seg *s);
void order_drop(struct flow *f);

/* ---- capture_turn.c: bytes that are new and in order. out: sent by this end ---- */
void side_data(struct capture *c, struct side *d, const struct seg *s, bool out);

/* ---- capture_answer.c: its first bytes and its last ---- */
/* True once the final (not 1xx) status line, or something that is none, has come. */
bool answer_begin(struct capture *c, struct side *d, const struct seg *s);
/* Into .resp, as far as there is room; false: there is nothing to keep. */
bool answer_keep(struct w5_leg *l, const struct seg *s);
void answer_tail(struct side *d, const struct seg *s);

/* ---- capture_conn.c: what else comes. out: sent by this end ---- */
struct side *side_new(struct capture *c, struct track *t, int end);
void side_free(struct side *d);
void side_syn(struct capture *c, struct side *d, const struct seg *s, bool out);
/* in_order: nothing before it is missing. Called again when that becomes so. */
void side_fin(struct capture *c, struct side *d, const struct seg *s, bool out, bool in_order);
void side_rst(struct capture *c, struct side *d, const struct seg *s, bool out);
/* n bytes of this direction are missing in the capture. */
void side_gap(struct capture *c, struct side *d, uint32_t n, bool out, uint64_t ts_ns);
/* Its answer is missing in the capture: this turn is not judged. */
void side_lost(struct capture *c, struct side *d, uint64_t ts_ns);
/* Bytes, a SYN or a FIN once more. */
void side_again(struct side *d, const struct seg *s);
/* Established, though its SYN-ACK was not seen. */
void side_established(struct capture *c, struct side *d, uint64_t ts_ns);

void side_unreachable(struct capture *c, struct side *d, const struct icmp_error *e,
		      uint64_t ts_ns);
void side_keep(struct side *d, const uint8_t *ip, size_t cap, size_t len, bool out, uint64_t ts_ns);

/* ---- capture_tell.c ---- */
void tell_time(struct capture *c, uint64_t ts_ns); /* before anything of that time is told */
void tell_turn(struct capture *c, struct side *d, uint16_t type, uint64_t ts_ns);
void tell_packets(struct capture *c, struct side *d, uint64_t ts_ns);
/* What came after the gateway had closed met a reset. */
void tell_late(struct capture *c, struct side *d, uint64_t ts_ns);
void tell_counters(struct capture *c, uint64_t ts_ns);
void side_facts(struct side *d);
void side_acked(struct side *d, uint32_t ack);
/* The turn, or the conn, came to its end: true the first time. */
bool side_end_once(struct side *d, uint8_t end, uint64_t ts_ns);
void side_tell_end(struct capture *c, struct side *d, uint64_t ts_ns);

/* ---- capture_owner.c ---- */
void owner_of_connect(struct capture *c, struct side *d, uint64_t ts_ns);
void owner_of_request(struct capture *c, struct side *d, uint64_t ts_ns);
void owner_free(struct side *d); /* it goes, or begins another turn */
/* The turn of d is over without an answer: its gateway goes on. */
void owner_hears(struct side *d, uint64_t ts_ns);
/* The exchange on d is answered, or over: connects for it that nobody answered are over, too. */
void owner_answered(struct capture *c, struct side *d, uint64_t ts_ns);
void giveup_leaving(struct capture *c, uint64_t ts_ns);
void giveup_run(struct capture *c, uint64_t ts_ns);

#endif
