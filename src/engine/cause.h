/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue of causes: one row each. The id is stable (NDJSON, filters, docs).
 * The RFC 9209 token is the proxy error type (section 2.3) for interop, "" if none.
 */
#ifndef ENGINE_CAUSE_H
#define ENGINE_CAUSE_H

#define CAUSES(X)                                                                                \
	X(NONE, "none", "", "")                                                                  \
	X(CONN_REFUSED, "conn-refused", "connection_refused",                                    \
	  "refuses connections (nothing listens)")                                               \
	X(CONN_REFUSED_FIREWALL, "conn-refused-firewall", "destination_ip_prohibited",           \
	  "refused by a device on the way")                                                      \
	X(CONN_TIMEOUT_SYN, "conn-timeout-syn", "connection_timeout",                            \
	  "does not answer connection attempts")                                                 \
	X(HOST_UNREACHABLE_LOCAL, "host-unreachable-local", "destination_ip_unroutable",         \
	  "does not answer on the local network (ARP/ND)")                                       \
	X(HOST_UNREACHABLE_ICMP, "host-unreachable-icmp", "destination_ip_unroutable",           \
	  "reported unreachable by a router")                                                    \
	X(NO_ROUTE, "no-route", "destination_ip_unroutable", "no route to it from this host")    \
	X(LOCAL_PORT_EXHAUSTED, "local-port-exhausted", "connection_limit_reached",              \
	  "no local port left towards it")                                                       \
	X(FD_LIMIT, "fd-limit", "proxy_internal_error", "gateway out of file descriptors")       \
	X(POOL_LIMIT, "pool-limit", "connection_limit_reached",                                  \
	  "gateway's own connection limit reached")                                              \
	X(NO_LIVE_UPSTREAM, "no-live-upstream", "destination_unavailable",                       \
	  "not tried: all backends marked down")                                                 \
	X(KEEPALIVE_RACE, "keepalive-race", "connection_terminated",                             \
	  "closed the idle connection just as it was reused")                                    \
	X(KEEPALIVE_CLOSED_ON_REQUEST, "keepalive-closed-on-request", "connection_terminated",   \
	  "closed a reused connection on the next request")                                      \
	X(STALE_CONNECTION_RESET, "stale-connection-reset", "connection_terminated",             \
	  "no longer knew an old connection")                                                    \
	X(STALE_CONNECTION_BLACKHOLE, "stale-connection-blackhole", "connection_read_timeout",   \
	  "idle connection forgotten on the way")                                                \
	X(RESET_BEFORE_RESPONSE, "reset-before-response", "connection_terminated",               \
	  "took the request, then reset")                                                        \
	X(CLOSED_BEFORE_RESPONSE, "closed-before-response", "http_response_incomplete",          \
	  "took the request, then closed")                                                       \
	X(BACKEND_KILLED, "backend-killed", "connection_terminated",                             \
	  "died while serving the request")                                                      \
	X(TRUNCATED_HEADER, "truncated-header", "http_response_incomplete",                      \
	  "stopped in the middle of the response header")                                        \
	X(TRUNCATED_BODY, "truncated-body", "http_response_incomplete",                          \
	  "response cut short after its status")                                                 \
	X(HEADER_TOO_BIG, "header-too-big", "http_response_header_section_size",                 \
	  "response header did not fit the gateway's buffer")                                    \
	X(INVALID_HEADER, "invalid-header", "http_protocol_error", "sent a malformed header")    \
	X(NOT_HTTP, "not-http", "http_protocol_error", "did not speak HTTP")                     \
	X(TLS_HANDSHAKE_FAILED, "tls-handshake-failed", "tls_protocol_error",                    \
	  "TLS handshake failed")                                                                \
	X(TLS_PLAINTEXT_MISMATCH, "tls-plaintext-mismatch", "tls_protocol_error",                \
	  "one side spoke TLS, the other plain HTTP")                                            \
	X(H2_STREAM_RESET, "h2-stream-reset", "http_response_incomplete",                        \
	  "reset the HTTP/2 stream of the request")                                              \
	X(H2_REFUSED_STREAM, "h2-refused-stream", "http_response_incomplete",                    \
	  "refused the HTTP/2 stream of the request")                                            \
	X(H2_GOAWAY, "h2-goaway", "connection_terminated",                                       \
	  "closed the HTTP/2 connection (GOAWAY) before the request's turn")                     \
	X(BACKEND_5XX, "backend-5xx", "", "answered the error itself")                           \
	X(BACKEND_SLOW, "backend-slow", "http_response_timeout",                                 \
	  "had the request but did not answer in time")                                          \
	X(ACCEPT_QUEUE_OVERFLOW, "accept-queue-overflow", "connection_timeout",                  \
	  "queue of new connections full")                                                       \
	X(ZERO_WINDOW, "zero-window", "connection_write_timeout", "stopped reading the request") \
	X(PATH_LOSS, "path-loss", "connection_read_timeout",                                     \
	  "packets to it were lost until the timeout")                                           \
	X(PMTU_BLACKHOLE, "pmtu-blackhole", "connection_read_timeout",                           \
	  "only large packets disappear on the way")                                             \
	X(MIDDLEBOX_RESET, "middlebox-reset", "connection_terminated",                           \
	  "reset by a device on the way")                                                        \
	X(EARLY_RESPONSE_RESET, "early-response-reset", "connection_terminated",                 \
	  "answered and closed before the upload ended")                                         \
	X(WRONG_PEER, "wrong-peer", "destination_not_found", "is not a current backend")         \
	X(DNS_FAILURE, "dns-failure", "dns_error", "name could not be resolved")                 \
	X(CLIENT_ABORT, "client-abort", "", "the client left before the answer")                 \
	X(GATEWAY_TIMEOUT_LOCAL, "gateway-timeout-local", "connection_read_timeout",             \
	  "gateway's own timer ran out")                                                         \
	X(UNIX_SOCKET_ERROR, "unix-socket-error", "destination_unavailable",                     \
	  "local socket refused or was full")                                                    \
	X(GATEWAY_GENERATED, "gateway-generated", "proxy_internal_response",                     \
	  "made by the gateway's configuration")                                                 \
	X(RETRY_RECOVERED, "retry-recovered", "", "failed, but a retry answered")                \
	X(INSUFFICIENT_EVIDENCE, "insufficient-evidence", "", "facts do not single out one cause")

enum cause {
#define X(id, name, token, brief) CAUSE_##id,
	CAUSES(X)
#undef X
		CAUSE_MAX,
};

const char *cause_name(enum cause c);	      /* "conn-refused" */
const char *cause_proxy_status(enum cause c); /* RFC 9209 error type, or "" */
const char *cause_brief(enum cause c);	      /* completes "<upstream> ..." in the WHY panel */

#endif
