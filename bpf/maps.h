/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every map and global of the kernel side, with its purpose. Each .bpf.c includes
 * this; the linker merges the weak definitions into one.
 */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include <vmlinux.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "w5_abi.h"
#include "w5_bpf.h"

/* One direction of a plain text stream (text.h). */
struct text_dir {
	__u64 off;    /* bytes so far */
	__u32 seq;    /* texts so far */
	__u32 left;   /* of the present frame's payload */
	__u32 next;   /* from packets: sequence number expected */
	__u8 hdr[25]; /* 9 are used: the rest is for the verifier */
	__u8 have;    /* bytes of hdr */
	__u8 type, pass;
	__u8 untold; /* hdr: no text has said it yet */
	__u8 gap;    /* bytes were missed: the next text says so */
	__u8 lost;   /* not at a frame's start; the rest of the chunk means nothing */
	__u8 begun;  /* from packets: next is valid */
};

struct text_stream {
	__u64 cookie;
	__u8 proto; /* W5_PROTO_HTTP1, _H2, or not known yet */
	__u8 role;
	__u8 older;
	__u8 asked; /* HTTP/1: a request was told in direction asked - 1, and no answer yet */
	__u8 heads; /* from packets: requests that no thread has read yet */
	__u8 pad[3];
	struct text_dir dir[2];
};

/* State of one gateway conn: the turn as user space will get it, plus what only we need.
 * What every packet touches comes first. */
struct conn {
	__u32 req_seq;	    /* TCP sequence number of the request's first byte */
	__u32 packets;	    /* put into the flight recorder so far */
	__u32 ended;	    /* END_* bits below */
	__u32 dead;	    /* not HTTP, or not a gateway's: leave at once */
	__u32 gateway_tgid; /* process found to be a gateway's when it answered here last */
	__u32 retrans0;	    /* total_retrans when the turn began */
	__u32 err_latched;  /* from inet_sk_error_report: survives the application's SO_ERROR */
	__u32 is_held;	    /* the present turn is among the held ones */
	__u16 held, held_status; /* as in struct w5_leg */
	__u32 held_ttfb_us;
	__u64 told_ns;	  /* last record of this conn */
	__u64 tls_object; /* in texts, 0 = none; the process is tls_tgid */
	__u32 tls_tgid;
	__u8 texted;  /* its messages come as TEXT records */
	__u8 unread;  /* counted as one that cannot be read */
	__u8 watched; /* its packets come by us */
	__u8 queues;  /* W5_PROC_QUEUES, of the process that opened it */
	__u8 asked;   /* the thread's trail knows of the present request */
	__u8 intends; /* connect() was called, and has not come as far as SYN_SENT */
	__u8 aside;   /* a health check: opened for no request */
	__u8 slot;    /* of the flight recorder, for the next packet; cfg.slots: it comes around */
	__u8 interim; /* INTERIM_* bits, interim.h: a final response is to follow one */
	__u8 blind; /* tied when it was written to: who reads its answer may be in a call already */
	__u8 pad[2];
	/* Upstream, HTTP/1: the response's last four bytes so far, the newest lowest, and the
	 * sequence number behind them. A chunked body is known to be whole by nothing else.
	 * tail_seq while interim is set, downstream too: where what follows must begin. */
	__u32 tail, tail_seq;
	struct w5_leg leg;
	struct w5_route_key route; /* right behind leg: see emit_unsent() */
	struct text_stream text;   /* cleartext HTTP/2: what its packets carry */
	/* Flight recorder: the last packets, already in the shape of a record. In the same
	 * storage as the turn: a second look-up per packet costs more than the memory. A struct
	 * w5_packets; src/kernel makes it as long as --history wants, before the map is made. */
	__u8 flight[W5_PACKETS_MAX] __attribute__((aligned(8)));
};

static __always_inline struct w5_packets *conn_flight(struct conn *c)
{
	return (struct w5_packets *)c->flight;
}

#define INTERIM_IN   0x1 /* in the head of an interim response, .. */
#define INTERIM_LF   0x2 /* .. behind the end of a line of it */
#define INTERIM_OVER 0x4 /* behind it: a status line, or what is none, comes next */
#define INTERIM_BLIND \
	0x8 /* where it ends was not seen: until a segment begins with a status line */

#define ENDED_REPORTED 0x1 /* a terminal record went out for this turn */
#define ENDED_LOCAL    0x2 /* the gateway closed its side */

/* Dies with its socket: no eviction, no leak. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} conns __weak SEC(".maps");

/* All records. Size set from options. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring __weak SEC(".maps");

/* tgid -> candidate / gateway. Filled by us on listen() and by the seed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, W5_PROC_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct w5_proc);
} procs __weak SEC(".maps");

/* UDP sockets on which a gateway process has asked for a name. */
struct dns_sock {
	__u32 tgid, tid;
	struct w5_addr server; /* asked last */
	__u16 lport;
	__u16 pad[3];
};
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dns_sock);
} dns_socks __weak SEC(".maps");

/* thread -> conns it worked on last (correlation witness). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, W5_TRAIL_SLOTS);
	__type(key, __u32);
	__type(value, struct w5_trail);
} trails __weak SEC(".maps");

/* Calls into TLS libraries under way. LRU: threads and goroutines come and go. */
struct call {
	__u64 object, buf, len, lenp, ts_ns;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, W5_CALL_MAX);
	__type(key, struct w5_call_key);
	__type(value, struct call);
} calls __weak SEC(".maps");

/* Plain text of encrypted conns, by the library's object. Made when a socket is read inside a
 * call, deleted with that socket. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, W5_TLS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct w5_tls_key);
	__type(value, struct text_stream);
} texts __weak SEC(".maps");

/* Next hops whose neighbour resolution failed: address -> when. LRU: losing an old one is
 * harmless, only the last 100 ms count. */
struct neigh_key {
	struct w5_addr ip;
	__u32 netns;
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct neigh_key);
	__type(value, __u64);
} neigh_failed __weak SEC(".maps");

/* When a conn to this address and port was last established. LRU: losing an old one makes a
 * finding less sure, no more. */
struct peer_key {
	struct w5_addr ip;
	__u32 netns;
	__u16 port, pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct peer_key);
	__type(value, __u64);
} established __weak SEC(".maps");

/* Conns a listener of this host had no room for, as its packets name them: when. */
struct pair_key {
	struct w5_addr from, to;
	__u16 sport, dport; /* host order */
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct pair_key);
	__type(value, __u64);
} queue_full __weak SEC(".maps");

/* Upstream conns that the gateway has closed before the answer. What still comes meets no socket
 * of its own any more (FIN_WAIT2 lives on as a time-wait one), only the reset it gets names it. */
struct given_up {
	__u64 cookie, req_ns, req_last_ns, closed_ns;
	__u32 netns;
	__u32 pad;
};
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pair_key);
	__type(value, struct given_up);
} gave_up __weak SEC(".maps");

/* Listening ports known to the seed, to tell accepted conns from opened ones. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct w5_port_key);
	__type(value, __u8);
} listen_ports __weak SEC(".maps");

/* A request that came together with the handshake's last ACK was seen on the listener:
 * kept per CPU until its child socket is there, a few instructions later. */
struct stash {
	__u64 ts_ns;
	__u32 seq;
	__u16 sport, dport; /* network order, as in the segment */
	__u32 payload;
	__u16 len;
	__u8 ttl;
	__u8 pad;
	__u8 head[W5_HEAD_REQ];
};
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stash);
} stashes __weak SEC(".maps");

const volatile struct w5_bpf_cfg cfg __weak = {};

__u64 loss[W5_LOSS_MAX] __weak = {};
__u64 conns_made __weak = 0;
/* When a turn last went wrong. Healthy turns of that time are told at length, so that a
 * failed attempt finds the exchange it belongs to. */
__u64 trouble_ns __weak = 0;
/* When the head of a healthy answer was last told with its turn. */
__u64 answer_told_ns __weak = 0;
/* Accepted conns that speak something we do not read. */
__u64 tls_conns __weak = 0;
__u64 h2_conns __weak = 0;
/* Some process has made a call whose goroutine, not thread, makes it (go.bpf.c). */
__u32 go_probed __weak = 0;

/* Some process is one of W5_PROC_QUEUES: else nobody asks for a thread's queue. */
__u32 have_queues __weak = 0;

/* User space has been woken for a filling ring; it clears this when it comes. */
__u32 woken __weak = 0;

/* Set by user space before it reads the seed iterator. enum w5_seed_mode. */
__u32 seed_mode __weak = 0;

#endif
