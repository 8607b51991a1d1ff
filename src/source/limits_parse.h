/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel's text files and socket dumps say about limits. Pure: bytes in, numbers
 * out; nothing is read here. Bytes may be cut anywhere.
 */
#ifndef SOURCE_LIMITS_PARSE_H
#define SOURCE_LIMITS_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "w5_abi.h"

/* text: NUL-terminated. The functions return W5_HOST_UNKNOWN for what is not there. */

/* /proc/net/netstat: "TcpExt: Name Name\nTcpExt: 1 2\n" */
uint64_t limits_netstat(const char *text, const char *prefix, const char *name);
/* /proc/net/sockstat: "TCP: inuse 1 orphan 0 tw 7" */
uint64_t limits_sockstat(const char *text, const char *line, const char *name);
/* /proc/net/stat/nf_conntrack: names, then a line of hexadecimal numbers per CPU: their sum. */
uint64_t limits_stat_sum(const char *text, const char *name);
/* /proc/net/softnet_stat: the sum of one column, from 0. */
uint64_t limits_softnet(const char *text, unsigned int column);
/* /proc/pressure/X: avg10 of the line "some" or "full", in hundredths of a per cent. */
uint64_t limits_pressure(const char *text, const char *line);
/* /proc/PID/limits: the soft limit of "Max open files". */
uint64_t limits_soft(const char *text, const char *name);
/* The i-th number of a sysctl. */
uint64_t limits_number(const char *text, unsigned int i);

/* ---- socket dumps: inet_diag over netlink ---- */

struct limits_socket {
	struct w5_addr local, remote; /* IPv4 is v4-mapped; any address is all zero */
	uint16_t lport, rport;
	uint8_t state;		 /* TCP_LISTEN, ... */
	uint32_t recv_q, send_q; /* of a listener: waiting, and how many may wait */
	uint32_t drops;		 /* 0 if not told */
};

#define LIMITS_DUMP_ENDED  1
#define LIMITS_REQUEST_MAX 128

/* A request for a dump of TCP sockets into buf of LIMITS_REQUEST_MAX bytes; its length. Only
 * those in the states (bits of 1 << state) and, if from is not 0, with a local port within. */
size_t limits_diag_request(void *buf, int family, uint32_t states, uint16_t from, uint16_t to);
/* One buffer of answers. 0, LIMITS_DUMP_ENDED, or -errno: -EBADMSG, or what the kernel said. */
int limits_diag_parse(const void *buf, size_t len,
		      void (*on_socket)(void *self, const struct limits_socket *s), void *self);

#endif
