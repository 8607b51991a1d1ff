# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# HAProxy: one process, threads that share their pools. It tries a connect again (retries, 1 s
# apart) and says how often, but not where; it logs nothing when it hides a keep-alive race.
# shellcheck disable=SC2154 # state and LAB_* come from lab

haproxy_programs() { echo haproxy; }

# Two peers: the first is tried first, the second after it failed. fail_timeout: health checks
# take the peers out. A row that is to recover may send a request again, not only connect.
haproxy_backends() {
	routes | awk -F '|' '
	BEGIN {
		proto["h2c"] = " proto h2"
		proto["https"] = " ssl verify none sni str(backend.lab)"
		proto["h2"] = proto["https"] " alpn h2"
	}
	{
		n = split($3, peer, " ")
		checked = $3 ~ /fail_timeout/
		named = $10 != "" ? " resolvers lab init-addr none" : ""
		print "backend " $1
		print "\ttimeout connect " $4 "\n\ttimeout server " $5 ($12 != "" ? "\n\ttimeout queue " $12 : "")
		again = $2 == "retry-recovered"
		if ($7 != "" || n > 1 || again)
			print "\tretries " ($7 != "" ? $7 : again ? 5 : 1)
		if (n > 1)
			print "\tbalance first\n\toption redispatch 1"
		if (again) # fewer conns in the pool than retries: they may all be dead
			print "\tretry-on all-retryable-errors\n\tdefault-server pool-max-conn 3"
		for (i = 1; i <= n; i++) {
			sub(/,.*/, "", peer[i])
			sub(/^unix:/, "unix@", peer[i])
			print "\tserver p" i " " peer[i] proto[$9] named ($11 != "" ? " maxconn " $11 : "") (checked ? " check inter 2s fall 1" : "")
		}
	}'
}

haproxy_conf() {
	local log=''
	[ "$LAB_LOG" = 0 ] || log='log stdout format raw local0 info'
	{
		cat <<-END
		global
			nbthread $LAB_WORKERS
			maxconn 8192
			user $(id -un nobody)
			group $(id -gn nobody)
			$log
		defaults
			mode http
			log global
			log-format "%Ts.%ms\t%HM\t%HPO\t%ST\t%si\t%sp\t%rc\t%ts\t%Ta\t%B\t%pid\t%cp\t%b"
			timeout client 60s
			timeout http-keep-alive 60s
			retries 3
		resolvers lab
			nameserver lab 10.77.3.53:53
			hold valid 1s
		frontend http
			bind 0.0.0.0:8080
			bind [::]:8080 v6only
			bind 0.0.0.0:8081 proto h2
			bind 0.0.0.0:8443 ssl crt $state/tls/both.pem alpn h2,http/1.1
			use_backend %[path,field(2,/)]
		END
		haproxy_backends
	} >"$state/gateway/haproxy.cfg"
}

haproxy_start() {
	in_gateway_background haproxy -db -f "$state/gateway/haproxy.cfg" >>"$state/log/haproxy.log" ||
		return 1
	# the first health checks are done: nobody is sent to a peer that is not there
	[ "$LAB_LOG" = 0 ] || grep -qm 1 'has no server available' \
		< <(timeout 5 tail -n +1 -s 0.05 -f "$state/log/haproxy.log")
}

# A retry without + went to the same server; with + to another one, of two.
haproxy_access() {
	awk -F '\t' '
	function addr(ip, port) { return (ip ~ /:/ ? "[" ip "]" : ip) ":" port }
	NR == FNR {
		split($0, route, "|")
		n = split(route[3], peer, " ")
		for (i = 1; i <= n; i++)
			sub(/,.*/, "", peer[i])
		local[route[1]] = peer[1]
		if (n > 1) {
			first[route[1]] = peer[1]
			second[route[1]] = peer[2]
		}
		next
	}
	NF < 13 || $5 == "" { next }
	{
		last = $5 == "-" ? "-" : $5 == "unix" ? local[$13] : addr($5, $6)
		list = last
		for (i = $7 + 0; i > 0; i--)
			list = ($7 !~ /^\+/ ? last : last == first[$13] ? second[$13] : first[$13]) ", " list
		print $1 "\t" $2 "\t" $3 "\t" $4 "\t" list "\t" $8 "\t" $9 / 1000 "\t" $10 "\t-\t" $11 "\t" $12
	}' <(routes) "$state/log/haproxy.log"
}
