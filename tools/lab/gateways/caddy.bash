# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Caddy: one Go process; a request moves from thread to thread, and the answer is written by
# another goroutine than the one that wrote to the backend. Its access log names no upstream;
# which it tried follows from the configuration, but not how often it found a dead connection
# in its pool for a GET (written ADDRESS+).
# shellcheck disable=SC2154 # state and LAB_* come from lab

caddy_programs() { echo caddy; }

# Two peers take turns, beginning with the last one. fail_timeout: a failed peer is not tried
# again for so long.
caddy_routes() {
	routes | awk -F '|' '
	{
		n = split($3, peer, " ")
		print "\thandle /" $1 "/* {\n\t\treverse_proxy {"
		for (i = n; i > 0; i--) {
			sub(/,.*/, "", peer[i])
			sub(/^unix:/, "unix/", peer[i])
			print "\t\t\tto " peer[i]
		}
		if (n > 1 && $3 ~ /fail_timeout/)
			print "\t\t\tlb_policy first\n\t\t\tfail_duration 10s"
		else if (n > 1)
			print "\t\t\tlb_policy round_robin\n\t\t\tlb_retries 1"
		print "\t\t\ttransport http {"
		print "\t\t\t\tdial_timeout " $4 "\n\t\t\t\tresponse_header_timeout " $5
		print "\t\t\t\twrite_timeout " $6 "\n\t\t\t\tkeepalive_idle_conns_per_host 64"
		if ($13 != "")
			print "\t\t\t\tkeepalive " $13
		if ($9 == "https" || $9 == "h2")
			print "\t\t\t\ttls\n\t\t\t\ttls_insecure_skip_verify\n\t\t\t\ttls_server_name backend.lab\n\t\t\t\ttls_timeout " $4
		print "\t\t\t\tversions " ($9 == "h2c" ? "h2c 2" : $9 == "h2" ? "2" : "1.1")
		print "\t\t\t}\n\t\t}\n\t}"
	}'
}

caddy_conf() {
	local log=''
	[ "$LAB_LOG" = 0 ] || log="log {
		output file $state/log/caddy.log {
			roll_disabled
		}
		format json
	}"
	{
		cat <<-END
		{
			admin off
			auto_https off
			servers :8080 {
				protocols h1
			}
			servers :8081 {
				protocols h1 h2c
			}
			servers :8443 {
				protocols h1 h2
			}
			log default {
				output file $state/log/error.log
				level ERROR
				exclude http.log.access
			}
		}
		(lab) {
		$log
		END
		caddy_routes
		cat <<-END
		}
		http://:8080, http://:8081 {
			import lab
		}
		https://:8443 {
			tls $state/tls/cert.pem $state/tls/key.pem
			import lab
		}
		END
	} >"$state/gateway/Caddyfile"
}

caddy_start() {
	printf '%s\n' 'nameserver 10.77.3.53' 'options timeout:1 attempts:2' >"$state/gateway/resolv.conf"
	GOMAXPROCS=$LAB_WORKERS HOME=$state/gateway XDG_CONFIG_HOME=$state/gateway \
		XDG_DATA_HOME=$state/gateway \
		in_gateway_background unshare -m --propagation private sh -c \
		'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$state/gateway/resolv.conf" \
		caddy run --config "$state/gateway/Caddyfile" --adapter caddyfile
}

caddy_access() {
	awk '
	function value(name,   v) {
		if (!match($0, "\"" name "\":(\"[^\"]*\"|[0-9.e-]+)"))
			return "-"
		v = substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
		gsub(/"/, "", v)
		return v
	}
	FILENAME ~ /error.log$/ {
		if (match($0, /dial tcp [^ ]+: /)) {
			a = substr($0, RSTART + 9, RLENGTH - 11)
			uri = value("uri")
			sub(/\?.*/, "", uri)
			dialled[uri] = a
		}
		next
	}
	FILENAME !~ /caddy.log$/ {
		split($0, route, "|")
		n = split(route[3], peer, " ")
		list = ""
		for (i = 1; i <= n; i++) {
			sub(/,.*/, "", peer[i])
			list = list (i > 1 ? ", " : "") peer[i]
		}
		all[route[1]] = route[10] != "" ? "-" : list # a name that does not resolve
		again[route[1]] = n == 1 && route[8] ~ /prime=/
		# net.Dial of Go tries up to three times when it gets no local port
		dials[route[1]] = route[2] == "local-port-exhausted"
		health[route[1]] = route[3] ~ /fail_timeout/
		next
	}
	/"request"/ {
		uri = value("uri")
		sub(/\?.*/, "", uri)
		split(uri, path, "/")
		status = value("status")
		list = health[path[2]] ? (status == 503 ? "-" : dialled[uri]) : all[path[2]]
		if (dials[path[2]] || (again[path[2]] && value("method") == "GET"))
			list = list "+"
		print value("ts") "\t" value("method") "\t" uri "\t" status "\t" list "\t-\t" value("duration") "\t" value("size") "\t-\t-\t" value("remote_port")
	}' "$state/log/error.log" <(routes) "$state/log/caddy.log"
}
