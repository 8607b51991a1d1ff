// SPDX-License-Identifier: BSD-2-Clause
/*
 * tlsgate PORT UPSTREAM_PORT CERT KEY: the smallest gateway, for a test of programs that carry
 * their TLS library inside: linked statically, so that SSL_read and SSL_write are nowhere but in
 * its own symbol table. One connection at a time, on loopback; what it cannot pass on is a 502.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

static const char bad_gateway[] = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n";

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)atoi(port)),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_on(const char *port)
{
	struct sockaddr_in a = loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 64)) {
		perror("tlsgate: listen");
		exit(1);
	}
	return fd;
}

/* The backend's answer to this request, or 502. */
static void serve_one(SSL *ssl, const char *upstream, const char *request, int n)
{
	struct sockaddr_in a = loopback(upstream);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char answer[4096];
	ssize_t got = -1;

	if (fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof(a)) &&
	    send(fd, request, (size_t)n, MSG_NOSIGNAL) == n)
		got = recv(fd, answer, sizeof(answer), 0);
	if (got > 0)
		SSL_write(ssl, answer, (int)got);
	else
		SSL_write(ssl, bad_gateway, sizeof(bad_gateway) - 1);
	if (fd >= 0)
		close(fd);
}

static void serve(SSL_CTX *ctx, int fd, const char *upstream)
{
	char request[4096];
	SSL *ssl = SSL_new(ctx);
	int n;

	if (ssl && SSL_set_fd(ssl, fd) && SSL_accept(ssl) > 0) {
		while ((n = SSL_read(ssl, request, sizeof(request))) > 0)
			serve_one(ssl, upstream, request, n);
	}
	SSL_free(ssl);
	close(fd);
}

int main(int argc, char **argv)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int fd;

	if (argc != 5 || !ctx ||
	    SSL_CTX_use_certificate_file(ctx, argv[3], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1) {
		fprintf(stderr, "usage: tlsgate PORT UPSTREAM_PORT CERT KEY\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	fd = listen_on(argv[1]);
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client >= 0)
			serve(ctx, client, argv[2]);
	}
}
