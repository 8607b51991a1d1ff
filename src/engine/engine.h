/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine: records in, findings out. Pure: no I/O, no clock (time comes from
 * records), no libbpf, deterministic. One thread.
 *
 * In:  every record of a stream, in stream order, through engine_feed().
 * Out: findings through engine_ops.finding, and counters to read at any time.
 * Errors: -errno. Hostile or short records are counted (bad_records), never trusted.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/finding.h"
#include "w5_abi.h"

struct engine;
struct mask;

struct engine_cfg {
	uint64_t grace_ns;  /* wait this long after a bad response before the finding is final
				   (the gateway may close the upstream conn after it wrote the 502) */
	size_t max_conns;   /* conns remembered; older ones are evicted and counted */
	size_t max_flights; /* packet dumps remembered while no finding holds them */
	uint16_t port;	    /* only exchanges/attempts with this local or remote port; 0 = all */
	uint32_t pid;	    /* only this gateway process or its group; 0 = all */
	char comm[16];	    /* only gateways of this name; "" = all */
	char cgroup[256]; /* show only gateways below it: packets come from there alone; "" = all */
	uint64_t max_bad; /* after so many findings with an alarm nothing is taken any more; 0 = all */
	/* Secrets in header blocks of HTTP/2 are masked with it, as in the other records
	 * before they came here; NULL = kept. Borrowed. */
	const struct mask *mask;
	uint8_t bad_status
		[100]; /* bad_status[s - 500] for 500..599: 1 = bad exchange. Default 502 503 504 */
};
void engine_cfg_default(struct engine_cfg *cfg);

struct engine_ops {
	/* f is borrowed: finding_ref() it to keep it. */
	void (*finding)(void *self, struct finding *f);
};

int engine_new(struct engine **out, const struct engine_cfg *cfg, const struct engine_ops *ops,
	       void *self);
void engine_free(struct engine *e); /* NULL is fine */

/* rec: complete record of rec->size bytes (the caller has checked that many are there). */
void engine_feed(struct engine *e, const struct w5_hdr *rec);
/* End of stream: findings still in their grace are made now. */
void engine_finish(struct engine *e);

/* ---- what the views show; valid until the next engine_feed ---- */

struct engine_counters {
	uint64_t now_ns;	  /* time of the newest record */
	uint64_t start_ns;	  /* time of the first */
	uint64_t wall_offset_ns;  /* CLOCK_REALTIME - CLOCK_MONOTONIC, from the session record */
	uint64_t exchanges;	  /* downstream responses seen (plus silent ends) */
	uint64_t attempts;	  /* upstream attempts seen, on any port */
	uint64_t status_class[6]; /* [0] no status, [1] 1xx ... [5] 5xx */
	uint64_t s502, s503, s504;
	uint64_t bad; /* findings with an alarm (all but recovered and client) */
	uint64_t recovered, client_aborts, silent;
	uint64_t findings;    /* all */
	uint64_t bad_records; /* malformed, ignored */
	uint64_t loss[W5_LOSS_MAX];
	uint64_t unread_tls, unread_h2; /* accepted conns whose messages cannot be read */
	uint64_t log_lines;		/* lines of access logs that were understood */
	uint64_t logged;		/* exchanges that only a log has seen */
	bool log_followed;
	uint64_t undecoded;	     /* HTTP/2 messages whose status or target cannot be told */
	size_t conns_down, conns_up; /* open now, as far as known */
	char host[65], kernel[65];
	bool is_capture;	   /* made of a capture file: no processes are known */
	struct w5_capture capture; /* then: what the file holds, and lacks */
};
const struct engine_counters *engine_counters(const struct engine *e);
uint64_t engine_lost(const struct engine *e); /* sum of loss[] */

struct engine_loss {
	uint64_t count;
	uint64_t minute;	    /* of them, in the last 60 s */
	uint64_t first_ns, last_ns; /* when it was noticed; 0 = never */
};
void engine_losses(const struct engine *e, struct engine_loss out[W5_LOSS_MAX]);

struct engine_gateway {
	char name[17];
	char cgroup[129];
	uint32_t group; /* tgid of the master */
	size_t nprocs;	/* live processes of the group */
	uint16_t ports[16];
	size_t nports;
	uint64_t exchanges, bad;
	bool named_only; /* known by name, has not been used yet */
	bool unwanted;	 /* narrowed away by engine_cfg.comm, .pid or .cgroup: not to be shown */
};
size_t engine_gateways(const struct engine *e, const struct engine_gateway **out);

#define ENGINE_QUANTILES 3
struct engine_upstream {
	struct w5_addr ip;
	uint16_t port;
	uint64_t connects, connect_failures, requests,
		failures; /* failures: attempts that failed */
	uint64_t s5xx, resets, retrans, reused;
	uint64_t first_fail_ns, last_fail_ns, last_ns;
	uint64_t last_answer_ns; /* answered with less than 500 */
	uint32_t groups[4];	 /* gateways that used it: tgid of the master, 0 = free */
	/* Keys of what it was asked for, 0 = free: a sample, the newest ones. */
	uint64_t hosts[4], routes[16];	  /* Host; Host and first path segment */
	uint64_t ttfb_us_sum, ttfb_count; /* request -> first response byte */
	uint32_t srtt_us;		  /* newest */
	size_t open;			  /* conns open now, as far as known */
	/* Time to the first byte, P50, P90 and P99 of the last 5 to 10 minutes; 0: no answer. */
	uint32_t ttfb_us[ENGINE_QUANTILES];
	/* Conns by what they do, when they were counted last; in use: a request is on it. */
	uint32_t connecting, in_use, idle;
	uint32_t in_use_max;   /* highest of the last minute */
	uint32_t oldest_ms;    /* age of the oldest request without a response; 0 = none */
	bool counted;	       /* they have been counted */
	bool ttfb_is_rough;    /* of many turns, gathered in one record, only the mean is known */
	double connects_per_s; /* over the last whole seconds */
	/* When idle conns are closed, by whom; 0 = no timer was seen. race_ahead: the backend does
	 * it first, on conns that are used again: sooner or later just then (keepalive-race). */
	uint32_t idle_backend_ms, idle_gateway_ms;
	/* race_ahead, and the gateway was never first: when it closes idle conns to others, else 0 */
	uint32_t idle_elsewhere_ms;
	uint32_t idle_closed;	 /* by the backend, so many of late */
	uint32_t idle_said_ms;	 /* the timeout of its Keep-Alive header, 0 = none was seen */
	uint32_t keep_alive_max; /* the same header's highest max, 0 = none */
	bool race_ahead;
	bool unwanted; /* narrowed away: not to be shown */
};
/* Sorted by address; *out is an array of pointers. */
size_t engine_upstreams(const struct engine *e, const struct engine_upstream *const **out);

/* The host's limits, as one gateway meets them. */
struct engine_host {
	char name[17];			/* of the gateway */
	struct w5_host now;		/* the newest record; unused slots of its tables are 0 */
	double rate[W5_HOST_VALUE_MAX]; /* counters: per second of the last few; else 0 */
	double drop_rate[W5_HOST_LISTENERS]; /* of now.listeners[] */
};
/* Writes at most n, in the order the gateways came; how many there are. */
size_t engine_hosts(const struct engine *e, struct engine_host *out, size_t n);

/* Per-second history, newest last; n <= 60 entries are written. */
struct engine_second {
	uint32_t exchanges, s502, s503, s504, silent;
};
size_t engine_history(const struct engine *e, struct engine_second *out, size_t n);

#endif
