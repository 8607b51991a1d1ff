/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The contract between the kernel side (bpf/) and user space (src/): records. Here is what all have
 * in common, and those about the stream itself; the others are in w5_abi_*.h, which this includes.
 *
 * A record is a header plus a body, 8-byte aligned, native byte order unless a
 * field says otherwise. The same bytes flow through the kernel ring, a trace
 * file and engine_feed(). No pointers, no enums, no bitfields in structs.
 * Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns); 0 = did not happen.
 */
#ifndef W5_ABI_H
#define W5_ABI_H

#ifndef __VMLINUX_H__
#include <stdint.h>
typedef uint8_t w5_u8;
typedef uint16_t w5_u16;
typedef uint32_t w5_u32;
typedef uint64_t w5_u64;
#else
typedef __u8 w5_u8;
typedef __u16 w5_u16;
typedef __u32 w5_u32;
typedef __u64 w5_u64;
#endif

#define W5_STATIC_ASSERT(c, m) _Static_assert(c, m)

#define W5_ABI_VERSION 2

/* Bytes kept of a message head. A request head carries method, target, Host and,
 * mostly, the request id within 256, a response its status, type and length. Bulk
 * records of healthy turns cut the request head to W5_HEAD_BULK. */
#define W5_HEAD_REQ  256
#define W5_HEAD_RESP 256
#define W5_HEAD_BULK 128

enum w5_rec_type {
	W5_REC_SESSION = 1, /* struct w5_session: first record of every stream (user space) */
	W5_REC_TICK,	    /* struct w5_hdr only: time passes (user space, every 25 to 100 ms) */
	W5_REC_STATS,	    /* struct w5_stats: kernel counters changed (user space) */
	W5_REC_GATEWAY,	 /* struct w5_gateway: a gateway process was found or ended (user space) */
	W5_REC_LISTEN,	 /* struct w5_listen: a process started to listen (kernel) */
	W5_REC_EXCHANGE, /* struct w5_leg: downstream request answered, or ended without answer */
	W5_REC_ATTEMPT,	 /* struct w5_leg: upstream connect failed, request answered or failed */
	W5_REC_END,	 /* struct w5_leg: a conn that had answered came to its end (either leg) */
	W5_REC_PACKETS,	 /* struct w5_packets: flight recorder of one conn, after a bad event */
	W5_REC_OPEN,	 /* struct w5_leg: a conn whose messages follow as TEXT records */
	W5_REC_TEXT,	 /* struct w5_text: message heads of such a conn, in plain text */
	W5_REC_LOG,	 /* struct w5_log: one line of a gateway's access log (user space) */
	W5_REC_DNS,	 /* struct w5_dns: a gateway asked for a name, or was answered (kernel) */
	W5_REC_POOL,	 /* struct w5_pool: a process's conns to one upstream (user space) */
	W5_REC_NAME,	 /* struct w5_name: what a configured name stands for now (user space) */
	W5_REC_LIMIT, /* struct w5_limit: a gateway met a limit of this host (kernel, user space) */
	W5_REC_KILLED,	/* struct w5_killed: a process killed by a signal left a conn (kernel) */
	W5_REC_HOST,	/* struct w5_host: limits of the host a gateway runs on (user space) */
	W5_REC_CAPTURE, /* struct w5_capture: what a capture file holds, and lacks (user space) */
	W5_REC_UNIX,	/* struct w5_unix: connect() to a local socket failed (kernel) */
	W5_REC_LATE,	/* struct w5_late: an answer came after the gateway had given up (kernel) */
	W5_REC_UNIX_OPEN, /* struct w5_unix: connect() to a local socket did not fail (kernel) */
	W5_REC_TYPE_MAX,
};

struct w5_hdr {
	w5_u64 ts_ns;  /* when the record was made */
	w5_u64 cookie; /* socket cookie of the conn; 0 for records of no conn */
	w5_u32 seq;    /* per conn, +1 per record even when the ring was full: a hole is a loss */
	w5_u16 type;   /* enum w5_rec_type */
	w5_u16 size;   /* whole record, header included, multiple of 8 */
};

/* One end of a conn. IPv4 is v4-mapped (RFC 4291 2.5.5.2). Port: host order. */
struct w5_addr {
	w5_u8 ip[16]; /* network order */
};
/* ip[0] and ip[1] of what stands for a local socket, in legs that the engine makes: no IPv6 address
 * of a peer begins so. Then .head of the leg is the path. */
#define W5_PATH_MARK 0xff
#define W5_PATH_END  14 /* bytes of the path's end behind them, zeroes first */
static inline int w5_addr_is_path(const struct w5_addr *a)
{
	return a->ip[0] == W5_PATH_MARK && a->ip[1] == W5_PATH_MARK;
}

/* Everything that can get lost, kernel and user space together. */
#define W5_LOSSES(X)                                                                        \
	X(RING_BULK, "ring-bulk", "healthy records, ring under pressure", "--ring-size")    \
	X(RING_RARE, "ring-rare", "records of failures, ring full", "--ring-size")          \
	X(MAP_FULL, "map-full", "conns without state, out of memory", "--cgroup, --port")   \
	X(COPY_CUT, "copy-cut", "packet dumps skipped, ring under pressure", "--ring-size") \
	X(EVICTED, "evicted", "conns or exchanges pushed out of user-space tables",         \
	  "--max-exchanges")                                                                \
	X(SEQ_HOLE, "seq-hole", "records missing from a conn's sequence", "--ring-size")    \
	X(SINK, "sink", "findings or packets that could not be written", "free disk space") \
	X(LOG_LINES, "log-lines", "lines of an access log that could not be read", "--log-format")

enum w5_loss {
#define X(id, name, what, help) W5_LOSS_##id,
	W5_LOSSES(X)
#undef X
		W5_LOSS_MAX,
};

struct w5_stats {
	struct w5_hdr h;
	w5_u64 loss[W5_LOSS_MAX + 1]; /* totals since start; last one unused */
	w5_u64 ring_used, ring_size;  /* bytes */
	w5_u64 conns;		      /* sockets with state made so far */
	w5_u64 tls_conns, h2_conns;   /* accepted conns whose messages could not be read */
};

#define W5_SESSION_MASKED  0x1 /* secrets in what follows were overwritten before it was stored */
/* The records are made of a capture file: .tgid only tells gateways apart, and nothing is known
 * of threads and errors of sockets. Times are CLOCK_REALTIME. .hint_* of an upstream turn is inferred:
 * nothing but that exchange was waiting for such a connect. */
#define W5_SESSION_CAPTURE 0x2

struct w5_session {
	struct w5_hdr h;
	w5_u64 realtime_ns; /* CLOCK_REALTIME at h.ts_ns */
	w5_u32 abi;	    /* W5_ABI_VERSION */
	w5_u32 flags;	    /* W5_SESSION_* */
	char host[64];
	char kernel[64];
	char version[32];
};

/* Totals since the file's beginning. */
struct w5_capture {
	struct w5_hdr h;
	w5_u64 packets; /* read */
	w5_u64 used;	/* TCP of a gateway's conns */
	w5_u64 unread;	/* of those that are IP: fragments, or cut inside their headers */
	w5_u64 cut;	/* their payload is cut by the snaplen */
	w5_u64 missing; /* segments that the other end has got, and that are not in the file */
	w5_u64 missing_bytes; /* in them */
	w5_u64 duplicates;    /* captured twice */
	w5_u64 unordered;     /* behind a later one in the file */
	w5_u64 one_way;	      /* conns of which only one direction is there */
	w5_u64 older;	      /* conns whose beginning is not there */
};

W5_STATIC_ASSERT(sizeof(struct w5_hdr) == 24, "header is 24 bytes");
W5_STATIC_ASSERT(sizeof(struct w5_stats) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_session) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_capture) % 8 == 0, "records are 8-byte aligned");

#include "w5_abi_conn.h"
#include "w5_abi_host.h"
#include "w5_abi_names.h"
#include "w5_abi_text.h"

#endif
