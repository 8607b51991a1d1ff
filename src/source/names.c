/* SPDX-License-Identifier: BSD-2-Clause */
/* See names.h. */
#include "source/names.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dns.h"
#include "base/util.h"
#include "source/logconf.h"

#define GATEWAYS_MAX 16
#define AGAIN_NS     (5 * 1000 * 1000 * 1000ull) /* after failed connects: at most so often */
#define WAIT_NS	     (2 * 1000 * 1000 * 1000ull) /* for a name server */
#define SEARCH_MAX   4
#define FILE_MAX     (1 << 20)

/* One name of a gateway under way. A and AAAA, each answered or not. */
struct query {
	int fd;
	uint16_t id;
	unsigned left; /* answers to come */
	unsigned next; /* of the search list */
	bool is_bad;   /* an error, or none in time: nothing is known */
	uint64_t until_ns;
	struct w5_name rec;
};

struct gateway {
	uint32_t pid;
	bool is_due;
	uint64_t looked_ns;
	struct logconf_peers peers;
	struct query q[LOGCONF_PEERS];
	struct sockaddr_in server;
	char search[SEARCH_MAX][LOGCONF_NAME_MAX];
	unsigned nsearch;
};

struct names {
	struct gateway *gw[GATEWAYS_MAX];
	size_t n;
	names_record_fn on_record;
	void *self;
};

int names_new(struct names **out, names_record_fn on_record, void *self)
{
	struct names *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->on_record = on_record;
	n->self = self;
	*out = n;
	return 0;
}

static void gateway_free(struct gateway *g)
{
	for (size_t i = 0; i < LOGCONF_PEERS; i++)
		closep(&g->q[i].fd);
	free(g);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		gateway_free(n->gw[i]);
	free(n);
}

/* ---- its view of names ---- */

/* A container may have put anything there: only a file of a sane size is read. */
static FILE *open_of(const struct gateway *g, const char *file)
{
	w5_auto(closep) int fd = -1;
	char path[64];
	struct stat st;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/root%s", g->pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
		return NULL;
	f = fdopen(fd, "r");
	if (f)
		fd = -1;
	return f;
}

static void add_addr(struct w5_name *r, const struct w5_addr *a)
{
	for (size_t i = 0; i < r->naddrs; i++)
		if (!memcmp(&r->addrs[i], a, sizeof(*a)))
			return;
	if (r->naddrs < W5_NAME_ADDRS)
		r->addrs[r->naddrs++] = *a;
}

static bool parse_addr(struct w5_addr *a, const char *text)
{
	struct in_addr v4;

	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET6, text, a->ip) == 1)
		return true;
	if (inet_pton(AF_INET, text, &v4) != 1)
		return false;
	a->ip[10] = a->ip[11] = 0xff;
	memcpy(a->ip + 12, &v4, 4);
	return true;
}

/* hosts(5): wins over the name servers, as everywhere. */
static bool in_hosts(const struct gateway *g, struct w5_name *r)
{
	w5_auto(fclosep) FILE *f = open_of(g, "/etc/hosts");
	char line[1024], *save;
	struct w5_addr a;
	bool found = false;

	while (f && fgets(line, sizeof(line), f)) {
		char *w;

		line[strcspn(line, "#\n")] = '\0';
		w = strtok_r(line, " \t", &save);
		if (!w || !parse_addr(&a, w))
			continue;
		while ((w = strtok_r(NULL, " \t", &save))) {
			if (strcasecmp(w, r->name))
				continue;
			add_addr(r, &a);
			found = true;
		}
	}
	return found;
}

/* resolv.conf(5), as far as one question needs it. */
static void read_resolv(struct gateway *g)
{
	w5_auto(fclosep) FILE *f = open_of(g, "/etc/resolv.conf");
	char line[512], *save, *w;

	g->server = (struct sockaddr_in){ .sin_port = htons(W5_DNS_PORT) };
	g->nsearch = 0;
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		w = strtok_r(line, " \t", &save);
		if (!w)
			continue;
		if (!strcmp(w, "nameserver") && !g->server.sin_family) {
			w = strtok_r(NULL, " \t", &save);
			if (w && inet_pton(AF_INET, w, &g->server.sin_addr) == 1)
				g->server.sin_family = AF_INET;
		} else if (!strcmp(w, "search") || !strcmp(w, "domain")) {
			g->nsearch = 0;
			while (g->nsearch < SEARCH_MAX && (w = strtok_r(NULL, " \t", &save)))
				snprintf(g->search[g->nsearch++], LOGCONF_NAME_MAX, "%s", w);
		}
	}
}

/* A socket in its network namespace; ours again afterwards. */
static int socket_of(const struct gateway *g)
{
	w5_auto(closep) int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	w5_auto(closep) int theirs = -1;
	char path[48];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/ns/net", g->pid);
	theirs = open(path, O_RDONLY | O_CLOEXEC);
	if (home < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (setns(home, CLONE_NEWNET)) { /* never stay: everything else would look from there */
		closep(&fd);
		abort();
	}
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&g->server, sizeof(g->server)))
		closep(&fd);
	return fd;
}

/* ---- questions ---- */

static void finish(struct names *n, struct query *q, uint64_t now_ns)
{
	closep(&q->fd);
	if (q->is_bad)
		return; /* nothing is known of it now */
	q->rec.h = (struct w5_hdr){ .ts_ns = now_ns, .type = W5_REC_NAME, .size = sizeof(q->rec) };
	n->on_record(n->self, &q->rec.h);
}

/* A name with a dot is asked for as it stands, another with each suffix of the list. */
static bool ask(const struct gateway *g, struct query *q)
{
	char name[2 * LOGCONF_NAME_MAX + 2];
	uint8_t buf[512];
	size_t len;

	if (strchr(q->rec.name, '.') || !g->nsearch) {
		if (q->next++)
			return false;
		snprintf(name, sizeof(name), "%s", q->rec.name);
	} else {
		if (q->next >= g->nsearch)
			return false;
		snprintf(name, sizeof(name), "%s.%s", q->rec.name, g->search[q->next++]);
	}
	q->left = 0;
	for (int i = 0; i < 2; i++) {
		len = dns_ask(buf, sizeof(buf), (uint16_t)(q->id + i), name,
			      i ? DNS_TYPE_AAAA : DNS_TYPE_A);
		if (len && send(q->fd, buf, len, 0) == (ssize_t)len)
			q->left++;
	}
	q->is_bad = !q->left;
	return true;
}

static void begin(struct names *n, struct gateway *g, size_t i, uint64_t now_ns)
{
	const struct logconf_peer *p = &g->peers.v[i];
	struct query *q = &g->q[i];
	struct w5_addr a;

	if (p->is_group || q->fd >= 0)
		return;
	*q = (struct query){ .fd = -1, .until_ns = now_ns + WAIT_NS };
	q->rec.group = g->pid;
	q->rec.port = p->port;
	q->rec.flags = g->peers.is_dynamic || g->peers.is_cut ? W5_NAME_OTHERS : 0;
	memcpy(q->rec.name, p->name, sizeof(q->rec.name));
	for (size_t j = 0; j < g->peers.n; j++)
		if (g->peers.v[j].is_group && !strcasecmp(g->peers.v[j].name, p->name))
			return; /* the name of a group of servers */
	if (parse_addr(&a, p->name)) {
		add_addr(&q->rec, &a);
		finish(n, q, now_ns);
		return;
	}
	if (in_hosts(g, &q->rec)) {
		finish(n, q, now_ns);
		return;
	}
	q->fd = g->server.sin_family ? socket_of(g) : -1;
	if (q->fd < 0 || getrandom(&q->id, sizeof(q->id), GRND_NONBLOCK) != sizeof(q->id) ||
	    !ask(g, q))
		closep(&q->fd);
}

static void take(struct names *n, const struct gateway *g, struct query *q, uint64_t now_ns)
{
	struct dns_message m;
	uint8_t buf[1500];
	ssize_t len;

	while (q->left && (len = recv(q->fd, buf, sizeof(buf), MSG_DONTWAIT)) != -1) {
		if (!dns_parse(&m, buf, (size_t)len) || !m.is_answer ||
		    (m.id != q->id && m.id != (uint16_t)(q->id + 1)))
			continue;
		q->left--;
		q->is_bad = q->is_bad || m.is_cut || (m.rcode && m.rcode != DNS_NXDOMAIN);
		for (size_t i = 0; i < m.naddrs; i++)
			add_addr(&q->rec, &m.addrs[i]);
	}
	if (q->left && now_ns >= q->until_ns)
		q->is_bad = true;
	if (q->left && !q->is_bad)
		return;
	if (!q->is_bad && !q->rec.naddrs && ask(g, q))
		return;
	finish(n, q, now_ns);
}

/* ---- records in ---- */

static struct gateway *find(const struct names *n, uint32_t pid)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->gw[i]->pid == pid)
			return n->gw[i];
	return NULL;
}

static void on_gateway(struct names *n, const struct w5_gateway *r)
{
	struct gateway *g = find(n, r->group ? r->group : r->tgid);

	if (r->flags & W5_GW_ENDED) {
		for (size_t i = 0; g && r->tgid == g->pid && i < n->n; i++) {
			if (n->gw[i] != g)
				continue;
			gateway_free(g);
			n->gw[i] = n->gw[--n->n];
			return;
		}
		return;
	}
	if (logconf_kind(r->comm) != W5_LOG_NGINX)
		return;
	if (!g && n->n < GATEWAYS_MAX) {
		g = calloc(1, sizeof(*g));
		if (!g)
			return;
		g->pid = r->group ? r->group : r->tgid;
		for (size_t i = 0; i < LOGCONF_PEERS; i++)
			g->q[i].fd = -1;
		n->gw[n->n++] = g;
	}
	if (g)
		g->is_due = true; /* new workers: it may have read its configuration again */
}

static void on_attempt(struct names *n, const struct w5_leg *l)
{
	for (size_t i = 0; i < n->n; i++)
		if (l->phase == W5_PHASE_CONNECT && l->h.size >= sizeof(*l))
			n->gw[i]->is_due = true; /* of which group it is, the engine knows */
}

void names_see(struct names *n, const struct w5_hdr *rec)
{
	if (!n)
		return;
	if (rec->type == W5_REC_GATEWAY)
		on_gateway(n, (const struct w5_gateway *)rec);
	else if (rec->type == W5_REC_ATTEMPT)
		on_attempt(n, (const struct w5_leg *)rec);
}

void names_poll(struct names *n, uint64_t now_ns)
{
	for (size_t i = 0; n && i < n->n; i++) {
		struct gateway *g = n->gw[i];
		bool is_due = g->is_due && now_ns >= g->looked_ns + AGAIN_NS;

		if (is_due) {
			g->is_due = false;
			g->looked_ns = now_ns;
			read_resolv(g);
			if (logconf_nginx_peers(&g->peers, g->pid))
				g->peers.n = 0;
		}
		for (size_t j = 0; j < g->peers.n; j++) {
			if (is_due)
				begin(n, g, j, now_ns);
			if (g->q[j].fd >= 0)
				take(n, g, &g->q[j], now_ns);
		}
	}
}
