/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Records of this host: gateways and their processes, pools, limits they meet. Part of w5_abi.h. */
#ifndef W5_ABI_HOST_H
#define W5_ABI_HOST_H

#include "w5_abi.h"

#define W5_LISTEN_FORKED 0x1 /* it has just been forked: port is 0, tid the parent's tgid */

struct w5_listen {
	struct w5_hdr h;
	w5_u64 cgroup_id;
	w5_u32 tgid, tid;
	w5_u32 netns;
	w5_u16 port;
	w5_u16 flags; /* W5_LISTEN_* */
	char comm[16];
};

#define W5_GW_ENDED 0x1
#define W5_GW_NAMED 0x2 /* known by its name; not yet seen to connect */

struct w5_gateway {
	struct w5_hdr h;
	w5_u64 cgroup_id;
	w5_u32 tgid;  /* this process */
	w5_u32 group; /* tgid of the master (itself if none): workers share it */
	w5_u32 netns;
	w5_u16 flags; /* W5_GW_* */
	w5_u16 nports;
	w5_u16 ports[16]; /* listening ports, host order */
	char comm[16];
	char cgroup[128]; /* path, NUL-terminated */
};

/* The conns of one process to one upstream, counted about once a second. One of zeroes says that
 * there are none any more; one with tgid 0, that all were counted and there is nothing to tell. */
struct w5_pool {
	struct w5_hdr h;
	struct w5_addr ip;
	w5_u16 port;
	w5_u16 older; /* of all: older than us, and not (yet) read. Up to 65535 */
	w5_u32 tgid;
	w5_u32 connecting;
	w5_u32 in_use;	  /* with a request whose answer is not there yet, or still comes */
	w5_u32 answering; /* of in_use: the response has begun, and bytes came lately */
	w5_u32 idle;
	w5_u64 oldest_ns; /* when the oldest request without a response began; 0 = none */
};

/*
 * A limit of this host that a gateway ran into.
 * FILES: socket() found no free descriptor below RLIMIT_NOFILE (EMFILE), so there is no conn and
 * no ATTEMPT record; the thread's trail tells for whom it was.
 * PORTS: of the ATTEMPT record that follows, whose connect got no local port.
 * UNUSED: no limit: a socket that was closed as it was made, because bind() was refused, or an
 * option; as FILES.
 */
enum w5_limit_kind { W5_LIMIT_FILES = 1, W5_LIMIT_PORTS, W5_LIMIT_UNUSED, W5_LIMIT_KIND_MAX };

struct w5_limit {
	struct w5_hdr h;	     /* h.cookie: PORTS: the conn's; h.seq 0 */
	w5_u64 hint_cookie, hint_ns; /* FILES, UNUSED: as in an upstream turn's w5_leg */
	w5_u32 tgid, tid;
	w5_u32 limit;		 /* FILES: RLIMIT_NOFILE; PORTS: ports in the range */
	w5_u32 used;		 /* PORTS: sockets to the same peer, those waiting included */
	w5_u32 waiting;		 /* PORTS: of them in TIME_WAIT */
	w5_u16 port_lo, port_hi; /* PORTS: net.ipv4.ip_local_port_range */
	w5_u8 kind;
	w5_u8 pad[7];
};

/* A process died of a signal and its socket was closed with it. Of any process of the host but
 * for conns a gateway opened. */
struct w5_killed {
	struct w5_hdr h;	      /* h.cookie, h.seq 0 */
	struct w5_addr local, remote; /* local: the dead process's side */
	w5_u16 lport, rport;
	w5_u32 netns;
	w5_u32 tgid, tid;
	w5_u8 signal;
	w5_u8 oom; /* 1: chosen by the OOM killer */
	w5_u8 pad[6];
	char comm[16];
};

/* connect() to a local socket (AF_UNIX) failed. Or, with err 0 and made by user space: from now on
 * they are watched (watched 1), or not (0).
 * UNIX_OPEN: it succeeded (watched 1); or it began, and nobody saw what became of it (0). */
#define W5_UNIX_PATH   108	    /* sun_path; may begin with a zero: no file then, unix(7) */
#define W5_UNIX_COOKIE (1ull << 62) /* and a number: no socket and no stream has such a cookie */
struct w5_unix {
	struct w5_hdr h;	     /* h.cookie: W5_UNIX_COOKIE, or 0; h.seq 0 */
	w5_u64 hint_cookie, hint_ns; /* as in an upstream turn's w5_leg */
	w5_u32 tgid, tid;
	w5_u16 err;
	w5_u16 len;  /* bytes valid in path[] */
	w5_u8 after; /* as in w5_leg */
	w5_u8 watched;
	w5_u8 pad[6];
	w5_u8 path[W5_UNIX_PATH];
	w5_u8 pad2[8];
};

/*
 * The host's own limits as a gateway meets them. Once a second per gateway, when something
 * changed, and sooner after a failed connect. Kinds: COUNT only grows; LEVEL is a present
 * number; STALL is the share of time in which tasks waited, averaged over 10 s by the kernel
 * (pressure stall information), in hundredths of a per cent.
 */
#define W5_HOST_VALUES(X)                                                                       \
	X(LISTEN_OVERFLOWS, "listen_overflows", COUNT) /* of the gateway's network namespace */ \
	X(LISTEN_DROPS, "listen_drops", COUNT)                                                  \
	X(REQUEST_DROPS, "request_drops", COUNT) /* SYNs, queue of half-open conns full */      \
	X(TIME_WAIT, "time_wait", LEVEL)                                                        \
	X(TIME_WAIT_MAX, "time_wait_max", LEVEL) /* net.ipv4.tcp_max_tw_buckets */              \
	X(CONNTRACK, "conntrack", LEVEL)                                                        \
	X(CONNTRACK_MAX, "conntrack_max", LEVEL)                                                \
	X(CONNTRACK_DROPS, "conntrack_drops", COUNT)                                            \
	X(PORTS_MAX, "ports_max", LEVEL)	 /* size of ip_local_port_range */              \
	X(FILES, "files", LEVEL)		 /* of the process .tgid */                     \
	X(FILES_MAX, "files_max", LEVEL)	 /* its soft limit */                           \
	X(SOFTNET_DROPS, "softnet_drops", COUNT) /* of the host, as what follows */             \
	X(SOFTNET_SQUEEZES, "softnet_squeezes", COUNT)                                          \
	X(CPU, "cpu", STALL)                                                                    \
	X(MEMORY, "memory", STALL)                                                              \
	X(MEMORY_FULL, "memory_full", STALL)                                                    \
	X(IO, "io", STALL)                                                                      \
	X(OWN_CPU, "own_cpu", STALL) /* of the gateway's cgroup */                              \
	X(OWN_MEMORY, "own_memory", STALL)                                                      \
	X(OWN_MEMORY_FULL, "own_memory_full", STALL)                                            \
	X(OWN_IO, "own_io", STALL)

enum w5_host_value {
#define X(id, name, kind) W5_HOST_##id,
	W5_HOST_VALUES(X)
#undef X
		W5_HOST_VALUE_MAX,
};

#define W5_HOST_UNKNOWN (~0ull) /* could not be read */
#define W5_HOST_SLOTS	32	/* of v[]; those not used are 0 */

/* Local ports in use towards one upstream, TIME_WAIT included: of one local address. */
struct w5_host_ports {
	struct w5_addr ip;
	w5_u16 port;
	w5_u16 pad;
	w5_u32 used;
};

#define W5_LISTENER_OWN 0x1 /* the gateway's; else one of the same network namespace */
struct w5_host_listener {
	struct w5_addr ip; /* all zero: any address */
	w5_u16 port;
	w5_u16 flags;	   /* W5_LISTENER_* */
	w5_u32 queue, max; /* conns that wait to be accepted; how many may */
	w5_u32 drops;	   /* total: attempts this socket has dropped */
};

#define W5_HOST_PORTS	  8
#define W5_HOST_LISTENERS 8
struct w5_host {
	struct w5_hdr h;
	w5_u32 group; /* the gateway: tgid of its master */
	w5_u32 tgid;  /* its process that is nearest to its limit of open files */
	w5_u32 netns;
	w5_u16 nports, nlisteners;
	w5_u64 v[W5_HOST_SLOTS];			      /* by enum w5_host_value */
	struct w5_host_ports ports[W5_HOST_PORTS];	      /* most first */
	struct w5_host_listener listeners[W5_HOST_LISTENERS]; /* fullest first */
};

W5_STATIC_ASSERT(sizeof(struct w5_pool) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_limit) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_unix) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_killed) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_host) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(W5_HOST_VALUE_MAX <= W5_HOST_SLOTS, "every value has its slot");
W5_STATIC_ASSERT(sizeof(struct w5_listen) % 8 == 0, "records are 8-byte aligned");
W5_STATIC_ASSERT(sizeof(struct w5_gateway) % 8 == 0, "records are 8-byte aligned");

#endif
