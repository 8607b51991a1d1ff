// SPDX-License-Identifier: BSD-2-Clause
/* The ways an HTTP/1 backend misbehaves, a row each. */
#include "backend.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define BYTES(s) .say = s, .say_len = sizeof(s) - 1
#define ANSWER(code, reason, body_len, body)                                                  \
	"HTTP/1.1 " code " " reason "\r\nServer: lab-backend\r\nContent-Type: text/plain\r\n" \
	"Content-Length: " body_len "\r\n\r\n" body

#define CHUNKED(trailer) \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" trailer "\r\n"

#define ALERT(what)	  "\x15\x03\x03\x00\x02\x02" what
#define HANDSHAKE_FAILURE "\x28"
#define PROTOCOL_VERSION  "\x46"
#define UNRECOGNIZED_NAME "\x70"

static char say_big_header[20200], say_big_body[5060];

#define LINK   "Link: </static/of-a-certain-length.css>; rel=preload; as=style\r\n" /* 64 bytes */
#define LINKS  LINK LINK LINK LINK LINK LINK LINK LINK LINK LINK
#define HINTS  "HTTP/1.1 103 Early Hints\r\n" LINKS "\r\n"
#define HINTED HINTS HINTS ANSWER("200", "OK", "7", "hinted\n")

const struct mode modes[] = {
	{ .name = "ok" },
	{ .name = "ok-first-late", .first_ms = 30 },
	{ .name = "rst", .nth = 1, .ending = END_RST },
	{ .name = "unread", .nth = 1, .unread = true, .wait_ms = 100, .ending = END_FIN },
	{ .name = "fin", .nth = 1, .ending = END_FIN },
	{ .name = "header-fin",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nContent-Le",
	  .hold_ms = 50,
	  .ending = END_FIN },
	{ .name = "header-rst",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nContent-Le",
	  .hold_ms = 50,
	  .ending = END_RST },
	{ .name = "header-stall",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nContent-Le",
	  .ending = END_HOLD },
	{ .name = "idle-close", .first_ms = 30, .idle_ms = 150, .ending = END_FIN },
	{ .name = "idle-close-far", .idle_ms = 350, .ending = END_FIN },
	{ .name = "idle-close-said",
	  .keep = "Keep-Alive: timeout=1, max=100\r\n",
	  .idle_ms = 1000,
	  .ending = END_FIN },
	{ .name = "second-unread", .first_ms = 30, .nth = 2, .unread = true, .ending = END_FIN },
	{ .name = "second-fin", .first_ms = 30, .nth = 2, .ending = END_FIN },
	{ .name = "vanish", .first_ms = 30, .idle_ms = 150, .ending = END_VANISH },
	{ .name = "slow",
	  .nth = 1,
	  .wait_ms = 2200,
	  .say = ANSWER("200", "OK", "5", "late\n"),
	  .ending = END_KEEP },
	{ .name = "say-close",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nok\n",
	  .ending = END_FIN },
	{ .name = "killed", .nth = 1, .wait_ms = 20, .ending = END_DIE, .signal = SIGKILL },
	{ .name = "killed-unread",
	  .nth = 1,
	  .unread = true,
	  .wait_ms = 20,
	  .ending = END_DIE,
	  .signal = SIGKILL },
	{ .name = "crash", .nth = 1, .ending = END_DIE, .signal = SIGSEGV },
	{ .name = "crash-header",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nContent-Le",
	  .hold_ms = 20,
	  .ending = END_DIE,
	  .signal = SIGSEGV },
	{ .name = "late",
	  .nth = 1,
	  .wait_ms = 700,
	  .say = ANSWER("200", "OK", "5", "late\n"),
	  .ending = END_KEEP },
	{ .name = "too-late", /* half as long again as the gateway waits */
	  .nth = 1,
	  .wait_ms = 2250,
	  .say = ANSWER("200", "OK", "5", "late\n"),
	  .ending = END_FIN },
	{ .name = "silent", .nth = 1, .ending = END_HOLD },
	{ .name = "never-read", .nth = 1, .unread = true, .rcvbuf = 4096, .ending = END_HOLD },
	{ .name = "never-accept", .accept_ms = 2300, .backlog = 1 },
	{ .name = "slow-accept", .accept_every_ms = 400, .backlog = 1 },
	{ .name = "say-502", .nth = 1, .say = ANSWER("502", "Bad Gateway", "4", "bad\n") },
	{ .name = "say-503", .nth = 1, .say = ANSWER("503", "Service Unavailable", "5", "busy\n") },
	{ .name = "say-504", .nth = 1, .say = ANSWER("504", "Gateway Timeout", "5", "slow\n") },
	{ .name = "body-fin",
	  .nth = 1,
	  .say = ANSWER("200", "OK", "1000", "hello"),
	  .hold_ms = 100,
	  .ending = END_FIN },
	{ .name = "body-rst",
	  .nth = 1,
	  .say = ANSWER("200", "OK", "1000", "hello"),
	  .hold_ms = 100,
	  .ending = END_RST },
	{ .name = "chunked-fin",
	  .nth = 1,
	  .hold_ms = 100,
	  .ending = END_FIN,
	  .say = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n" },
	{ .name = "chunked-rst",
	  .nth = 1,
	  .hold_ms = 100,
	  .ending = END_RST,
	  .say = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n" },
	/* Whole bodies, each with an end of its own */
	{ .name = "chunked", .nth = 1, .say = CHUNKED("") },
	{ .name = "chunked-close", .nth = 1, .hold_ms = 20, .ending = END_FIN, .say = CHUNKED("") },
	{ .name = "chunked-trailer", .nth = 1, .ending = END_FIN, .say = CHUNKED("X-Sum: 1\r\n") },
	{ .name = "until-close",
	  .nth = 1,
	  .hold_ms = 20,
	  .ending = END_FIN,
	  .say = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello\n" },
	{ .name = "continue-502",
	  .nth = 1,
	  .say = "HTTP/1.1 100 Continue\r\n\r\n" ANSWER("502", "Bad Gateway", "4", "bad\n") },
	/* Interim responses longer than what is kept of a response's start */
	{ .name = "hints", .nth = 1, .say = HINTED },
	{ .name = "hints-cut", .nth = 1, .say = HINTED, .first_bytes = 400 },
	{ .name = "body-5k",
	  .nth = 1,
	  .say = say_big_body,
	  .say_len = sizeof(say_big_body),
	  .first_bytes = 60 },
	{ .name = "body-5k-at-once",
	  .nth = 1,
	  .say = say_big_body,
	  .say_len = sizeof(say_big_body) },
	{ .name = "header-big", .nth = 1, .say = say_big_header, .say_len = sizeof(say_big_header) },
	{ .name = "header-nul",
	  .nth = 1,
	  BYTES("HTTP/1.1 200 OK\r\nX-\0bad: 1\r\nContent-Length: 3\r\n\r\nok\n") },
	{ .name = "header-space",
	  .nth = 1,
	  .say = "HTTP/1.1 200 OK\r\nX bad: 1\r\nContent-Length: 3\r\n\r\nok\n" },
	{ .name = "text",
	  .nth = 1,
	  .say = "220 mail.example ESMTP ready\r\n",
	  .hold_ms = 20,
	  .ending = END_FIN },
	/* A TLS ClientHello comes in, and no TLS server is behind it that likes it. Alerts: RFC
	 * 8446 section 6. */
	{ .name = "tls-alert", /* also a TLS server's answer to plain HTTP */
	  .takes_hello = true,
	  .hello = ALERT(HANDSHAKE_FAILURE),
	  .nth = 1,
	  BYTES("\x15\x03\x01\x00\x02\x02\x46"),
	  .hold_ms = 20,
	  .ending = END_FIN },
	{ .name = "tls-v10",
	  .takes_hello = true,
	  .nth = 1,
	  BYTES(ALERT(PROTOCOL_VERSION)),
	  .ending = END_FIN },
	{ .name = "tls-unknown-name",
	  .takes_hello = true,
	  .nth = 1,
	  BYTES(ALERT(UNRECOGNIZED_NAME)),
	  .ending = END_FIN },
	{ .name = "tls-close", .takes_hello = true, .nth = 1, .ending = END_FIN },
	{ .name = "tls-rst", .takes_hello = true, .nth = 1, .ending = END_RST },
	{ .name = "tls-silent", .takes_hello = true, .nth = 1, .ending = END_HOLD },
	{ .name = "tls-plain",
	  .takes_hello = true,
	  .nth = 1,
	  .say = ANSWER("400", "Bad Request", "4", "bad\n"),
	  .ending = END_FIN },
	{ .name = "early-413",
	  .nth = 1,
	  .read_min = 2000,
	  .ending = END_FIN,
	  .say = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbig\n" },
};
const size_t modes_count = sizeof(modes) / sizeof(modes[0]);

void modes_init(void)
{
	int n;

	memset(say_big_header, 'b', sizeof(say_big_header));
	memcpy(say_big_header, "HTTP/1.1 200 OK\r\nX-Big: ", 24);
	memcpy(say_big_header + sizeof(say_big_header) - 26, "\r\nContent-Length: 3\r\n\r\nok\n",
	       26);
	memset(say_big_body, 'b', sizeof(say_big_body));
	n = snprintf(say_big_body, 128, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
		     sizeof(say_big_body) - 41); /* 41 = length of this head */
	say_big_body[n] = 'b';
}

const struct mode *mode_find(const char *name)
{
	for (size_t i = 0; i < modes_count; i++)
		if (!strcmp(modes[i].name, name))
			return &modes[i];
	return NULL;
}
