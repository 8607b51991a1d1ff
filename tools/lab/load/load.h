/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab-load inside. Faults are what is asked, conns carry it, lanes are the places on a conn for
 * one request at a time: an HTTP/1 conn has one, an HTTP/2 conn several. Everything hangs on
 * struct load, which main owns; conns live in its array. Times are CLOCK_MONOTONIC ns unless a
 * name ends in _us (CLOCK_REALTIME).
 */
#ifndef LAB_LOAD_H
#define LAB_LOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../common/link.h"

#define FAULTS_MAX 512
#define CONNS_MAX  2048
#define LANES_MAX  32
#define BATCH_MAX  32
#define HEAD_BYTES 4096
#define ID_SIZE	   13	     /* 7 digits of the load's tag, 5 of the request's number, NUL */
#define TAG_MAX	   0xfffffff /* no two alike among the thousand loads of a test run */
#define NUMBER_MAX 0xfffff
#define TLS_NAME   "gateway.lab" /* SNI and Host */

struct fault {
	char set[8], name[40], cause[80], method[8], upstream[64];
	unsigned prime_ms, batch, abort_ms;
	size_t body;
	bool is_chosen;
	double every_ns; /* between two injections (or batches) */
	uint64_t next_ns;
	unsigned left;	  /* injections to go; UINT32_MAX = for ever */
	unsigned running; /* members of a batch under way */
	unsigned count;	  /* sent, to alternate methods */
};

enum lane_state {
	LANE_IDLE,    /* nothing asked, or not any more */
	LANE_WAITING, /* request under way */
	LANE_GAP,     /* silence between the two requests of a pair */
	LANE_RETRY,   /* the server did not look at it: to be asked again elsewhere */
};

struct lane {
	enum lane_state state;
	bool prime; /* the first request of a pair */
	struct conn *conn;
	struct fault *fault;
	uint64_t id, due_ns, sent_ns, sent_us;
	size_t body, body_left; /* of the request (0 = GET), and still to be sent */
	size_t got;		/* bytes of the answer */
	int status;
	unsigned tries; /* HTTP/2: on conns that went away */
	int32_t stream; /* HTTP/2; < 0: could not be opened */
	bool has_end;	/* HTTP/2: END_STREAM came */
};

/* What HTTP/1 and HTTP/2 do differently. */
struct proto {
	const char *alpn;
	int (*open)(struct conn *c);	 /* 0 or -errno */
	void (*request)(struct lane *l); /* to what push() sends */
	bool (*push)(struct conn *c);	 /* sends what waits; false: the server closed on us */
	void (*readable)(struct conn *c);
	void (*abort)(struct lane *l); /* we do not wait for the answer any longer */
	void (*close)(struct conn *c);
};
extern const struct proto proto_h1, proto_h2;

/* An HTTP/1 exchange as it stands. */
struct h1 {
	char out[512];
	size_t out_len, out_off;
	char head[HEAD_BYTES];
	size_t head_len;
	bool head_done, chunked, close;
	size_t body_want, body_got;
	bool in_trailer;
	size_t chunk_left, line_len;
	char line[32]; /* of a chunked body: the size of the next chunk */
};

struct conn {
	struct load *load;
	struct link link;
	bool is_open, is_up; /* up: the TLS handshake, if there is one, is over */
	bool is_own;	     /* of a pair or batch, not of the pool */
	bool is_ending;	     /* carries no further request */
	bool is_blocked;     /* waits until it can send on */
	uint32_t events;     /* asked of epoll */
	uint16_t lport;
	struct lane lanes[LANES_MAX];
	size_t nlanes;
	struct h1 h1;
	struct h2 *h2;
};

struct load {
	struct fault faults[FAULTS_MAX];
	size_t nfaults, turn;
	struct conn conns[CONNS_MAX];
	size_t nconns; /* highest used + 1 */
	struct lane *idle[CONNS_MAX * LANES_MAX];
	size_t nidle, nrising; /* nrising: conns that are not up yet */
	struct sockaddr_storage server;
	socklen_t server_len;
	char host[64];
	struct ssl_ctx_st *tls; /* NULL = plain */
	const struct proto *proto;
	size_t streams; /* lanes of a conn */
	int ep;
	FILE *truth;
	unsigned tag; /* at most TAG_MAX */
	uint64_t next_id, healthy, healthy_bad, faulty, in_flight, refused;
};

/* table.c: the fault table and what was chosen from it; 0 or -errno */
int table_read(struct load *load, const char *path);
int table_choose(struct load *load, char *mix, unsigned count, double seconds);

/* conn.c */
struct conn *conn_open(struct load *load, bool own); /* NULL: none left */
void conn_close(struct conn *c);
void conn_blocked(struct conn *c, bool is_blocked); /* can it send on? */
void conn_settle(struct conn *c);		    /* closes a conn that has nothing left to do */
void conn_broken(struct conn *c); /* the server is gone: every request on it ends here */
void conns_due(struct load *load, uint64_t now);
void conn_on_event(struct conn *c, uint32_t events);
bool lane_must_wait(const struct load *load); /* enough handshakes are under way */
struct lane *lane_get(struct load *load);     /* of the pool, which grows if it must */
void lane_target(const struct lane *l, char *out, size_t cap); /* "/FAULT/ID?c=CAUSE" */
void lane_request(struct lane *l, struct fault *f, bool prime);
/* A request ended. override replaces the status in the truth. conn_settle() must follow. */
void lane_done(struct lane *l, bool complete, const char *override);

/* pace.c: runs until all is asked and answered; 0 = every healthy request was answered well */
int pace_run(struct load *load, double rate, double seconds, const volatile sig_atomic_t *stop);

#endif
