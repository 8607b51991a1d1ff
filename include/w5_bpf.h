/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What src/kernel sets before the programs load (cfg), feeds while they run
 * (process table) and reads back (counters, seed entries). Never in a trace file.
 */
#ifndef W5_BPF_H
#define W5_BPF_H

#include "w5_abi.h"

/* Read-only for the programs, constant to the verifier. Set by src/kernel/open.c alone. */
struct w5_bpf_cfg {
	w5_u64 bulk_limit; /* ring bytes in use above which healthy records are dropped */
	w5_u64 dump_limit; /* ... above which packet dumps are skipped */
	w5_u64 wake_at;	   /* ... above which user space is woken at once, not on its tick */
	/* Flight recorder: slots (0 = off), bytes of a packet in each, distance from one to the
	 * next, size of its record */
	w5_u32 slots, slot_bytes, slot_stride, dump_bytes;
	w5_u32 self_tgid; /* never watch ourselves */
};

/* Process table, key tgid. A process that owns a listening TCP socket is a candidate;
 * once it, or a sibling of its group, connects somewhere it is a gateway. */
#define W5_PROC_CANDIDATE 0x1
#define W5_PROC_GATEWAY	  0x2
#define W5_PROC_MAX	  16384
#define W5_PROC_QUEUES	  0x8 /* a thread reads several requests, then goes on with each in turn */
#define W5_PROC_GO	  0x4 /* Go's crypto/tls has called us: calls are known by goroutine */

struct w5_proc {
	w5_u32 flags;
	w5_u32 group; /* tgid of the master process */
};

/* One entry per thread slot: which conns that thread worked on last. A slot is shared by
 * threads whose ids collide; the tid inside says whose it is. */
#define W5_TRAIL_SLOTS 4096

#define W5_ASKED 32 /* power of two; more than a thread was seen to read in one turn of its loop */

struct w5_trail {
	w5_u32 tid;
	w5_u32 after;	      /* its last step was to let go of this failed conn: as w5_leg.after */
	w5_u64 down, down_ns; /* socket cookie; when */
	w5_u64 up, up_ns;
	/* Requests it has read and not yet gone on with: numbers ngone to nasked - 1, in the order
	 * read, number n at n % W5_ASKED; ns 0: answered meanwhile. */
	w5_u32 nasked, ngone;
	w5_u64 asked[W5_ASKED], asked_ns[W5_ASKED]; /* socket cookie; when it was read */
	w5_u32 asked_stream[W5_ASKED];		    /* of HTTP/2 */
	w5_u32 paused; /* a mark of the peer of .after, if it is not tried again at once; or 0 */
	w5_u32 pad;
	w5_u64 tls;	/* the SSL object whose call it is in, or 0 */
	w5_u64 tls_bad; /* the object whose call writes an error to the client, or 0 */
};

/*
 * Of a connect that failed before it got a port (W5_F_UNSENT): what the routing table has to be
 * asked with. Stands behind the record in the ring's sample, and only src/kernel reads it.
 */
struct w5_route_key {
	w5_u32 mark;
	w5_u32 ifindex; /* bound to, or 0 */
	w5_u32 uid;
	w5_u32 pad;
};

/*
 * Calls into TLS libraries. A call is known by its thread (libssl) or its goroutine (Go), the
 * library's object of one conn by its address.
 */
struct w5_call_key {
	w5_u64 who; /* tid, or address of the goroutine */
	w5_u32 tgid;
	w5_u32 kind; /* enum w5_call_kind */
};
enum w5_call_kind { W5_CALL_LIBSSL = 1, W5_CALL_GO };

struct w5_tls_key {
	w5_u64 object; /* SSL *, or crypto/tls.Conn * */
	w5_u32 tgid;
	w5_u32 pad;
};
/* Threads that are connecting to a local socket, or did so lately. */
#define W5_UNIX_CALLS 4096

#define W5_TLS_MAX  131072
#define W5_CALL_MAX 16384

/* What the seed iterator writes per TCP socket of a process. */
struct w5_seed {
	w5_u64 cookie;
	w5_u64 cgroup_id;
	struct w5_addr local, remote;
	w5_u16 lport, rport;
	w5_u32 netns;
	w5_u32 tgid, ppid;
	w5_u8 state; /* TCP_* */
	w5_u8 pad[7];
	char comm[16];
};

enum w5_seed_mode { W5_SEED_LIST, W5_SEED_ADOPT };

/* What the pool iterator writes per upstream conn. */
enum w5_pool_state {
	W5_POOL_NONE,
	W5_POOL_CONNECTING,
	W5_POOL_WAITING,
	W5_POOL_ANSWERING,
	W5_POOL_IDLE
};

struct w5_pool_conn {
	struct w5_addr ip;
	w5_u64 req_ns; /* of a request without a response */
	w5_u32 tgid;
	w5_u16 port;
	w5_u8 state; /* enum w5_pool_state */
	w5_u8 older; /* than us, and what is asked on it cannot be read (yet) */
};

struct w5_port_key {
	w5_u32 netns;
	w5_u32 port; /* host order */
};

#endif
