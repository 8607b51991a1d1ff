/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab-backend inside. A port has a mode, a row of modes[]; a conn goes through the stages of its
 * port's mode. Everything hangs on struct backend, which main owns; conns are allocated one by one
 * and freed by conn_free(). Times are CLOCK_MONOTONIC ns, 0 = none.
 */
#ifndef LAB_BACKEND_H
#define LAB_BACKEND_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/link.h"

#define BUF_BYTES   16384
#define ID_BYTES    32
#define LOG_BYTES   65536
#define ALERT_BYTES 7 /* a TLS record with an alert */

enum ending {
	END_KEEP,   /* the conn lives on */
	END_FIN,    /* close */
	END_RST,    /* close with SO_LINGER 0 */
	END_HOLD,   /* nothing, until the gateway closes */
	END_VANISH, /* the socket disappears without a packet, as when its host reboots */
	END_DIE,    /* a process of its own takes the conn and dies of mode.signal */
};
struct mode {
	const char *name;
	const char *say; /* sent instead of a good answer, NULL = nothing */
	size_t say_len;	 /* 0 = strlen(say) */
	enum ending ending;
	unsigned nth; /* from this request of a conn on it misbehaves; 0 = always answers well */
	unsigned wait_ms;	  /* from the request to say */
	unsigned hold_ms;	  /* from say to the ending */
	unsigned idle_ms;	  /* silence after a good answer until the ending; 0 = for ever */
	unsigned first_ms;	  /* the first good answer of a conn takes so long */
	unsigned accept_ms;	  /* accept so late, then only log and close; 0 = at once */
	unsigned accept_every_ms; /* accept one after the other, so far apart; 0 = at once */
	size_t first_bytes;	  /* of say, sent as a segment of their own */
	size_t read_min;	  /* misbehave after so many bytes, without waiting for the rest */
	bool unread;		  /* misbehave without reading the request */
	bool takes_hello;  /* a TLS ClientHello counts as a request: faults of the handshake */
	const char *keep;  /* header line of every good answer, or NULL */
	const char *hello; /* an alert sent to a ClientHello in place of say */
	int backlog, rcvbuf;
	int signal; /* END_DIE */
};

extern const struct mode modes[];
extern const size_t modes_count;

enum stage {
	STAGE_READ,   /* waiting for a request */
	STAGE_ANSWER, /* a good answer is due */
	STAGE_SAY,    /* say is due */
	STAGE_END,    /* the ending is due */
	STAGE_HOLD,   /* waiting for the gateway to close */
};

struct port {
	int fd;
	uint16_t number; /* 0: a local socket at path */
	const char *path;
	const char *name;	  /* of its mode, as in the arguments */
	struct ssl_ctx_st *tls;	  /* NULL = plain */
	const struct h2_mode *h2; /* HTTP/2, then mode is only that of the socket */
	bool is_rude;		  /* FIN without close_notify */
	const struct mode *mode;
	struct backend *backend;
	uint64_t due_ns; /* accept_ms: when to empty the queue */
};

struct conn {
	struct link link;
	bool is_up; /* the TLS handshake, if there is one, is over */
	uint16_t peer_port;
	uint32_t events; /* asked of epoll */
	enum stage stage;
	struct port *port;
	struct h2 *h2;		   /* NULL = HTTP/1 */
	struct conn *next, **prev; /* all conns */
	uint64_t due_ns;
	unsigned nr;
	size_t len;
	char peer[INET6_ADDRSTRLEN], id[ID_BYTES], buf[BUF_BYTES];
};

struct backend {
	int ep, log_fd;
	struct conn *conns;
	struct port *ports;
	size_t nports, log_len;
	char log[LOG_BYTES];
	const char *cert, *key;	   /* PEM files */
	struct ssl_ctx_st *tls[2]; /* for HTTP/1 and HTTP/2, made when a port needs it */
};

/* modes.c */
void modes_init(void); /* fills the long answers */
const struct mode *mode_find(const char *name);

/* port.c */
int port_parse(struct port *p, char *arg); /* "PORT|/PATH:[PREFIX+]MODE"; 0 or -errno */
int port_open(struct port *p);		   /* listens; 0 or -errno */
void port_on_event(struct port *p);
void port_drain(struct port *p); /* due: logs whose request waited in vain, and drops them */

/* local.c */
int local_open(const char *arg); /* "PATH:stale|denied|full"; 0 or -errno */
int local_listen(const char *path, int backlog, unsigned mode); /* its fd, or -errno */

/* log.c */
void log_line(const struct conn *c, const char *event);
void log_flush(struct backend *b);

/* conn.c: accepted, and what the socket and the clock make of it */
struct conn *conn_accept(struct port *p); /* NULL: nobody waits */
void conn_free(struct conn *c);
void conn_end(struct conn *c, enum ending how); /* logs it and frees */
void conn_watch(struct conn *c, uint32_t events);
void conn_on_event(struct conn *c);
void conn_due(struct conn *c, uint64_t now);

/* h2.c, h2_modes.c */
const struct h2_mode *h2_mode_find(const char *name);
const char *h2_mode_name(size_t i); /* NULL after the last one */
bool h2_open(struct conn *c);	    /* after the TLS handshake; false: no memory */
void h2_free(struct conn *c);
void h2_on_event(struct conn *c);
void h2_due(struct conn *c, uint64_t now);

/* http1.c */
void target_id(char *out, const char *target, size_t len); /* ID_BYTES; "/fault/ID?c=cause" */
bool is_hello(const struct conn *c);	   /* a TLS record of type handshake is in buf */
void request_take_id(struct conn *c);	   /* of the request at the start of buf, to id */
size_t request_size(const struct conn *c); /* of that request, 0 = not complete */
size_t answer_write(const struct conn *c, char *out, size_t cap); /* returns its length */

#endif
