# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# Apache httpd, event MPM: processes with a thread per busy request and a pool per process.
# Its access log does not name the upstream; its error log tells of failed connects (AH00957, AH02454)
# and then, from the same thread, of which request (log id, %L).
# shellcheck disable=SC2154 # state and LAB_* come from lab

apache_binary() { command -v apache2 || command -v httpd || echo apache2; }
apache_programs() { basename "$(apache_binary)"; }

apache_modules() {
	local dir m
	for dir in /usr/lib/apache2/modules /usr/lib64/httpd/modules /usr/lib/httpd/modules; do
		[ ! -d "$dir" ] || break
	done
	for m in mpm_event unixd authz_core env log_config proxy proxy_http slotmem_shm \
		proxy_balancer lbmethod_byrequests ssl http2 proxy_http2; do
		[ ! -e "$dir/mod_$m.so" ] || echo "LoadModule ${m}_module $dir/mod_$m.so"
	done
}

# No worker is left in its error state (retry=0), but where fail_timeout says so. Two peers:
# members of a balancer, which turns to the other when it cannot connect.
apache_routes() {
	routes | awk -F '|' '
	BEGIN {
		url["http"] = "http://"; url["https"] = "https://"
		url["h2c"] = "h2c://"; url["h2"] = "h2://"
	}
	{
		n = split($3, peer, " ")
		opts = " connectiontimeout=" $4 " timeout=" (substr($5, 1, length($5) - 2) / 1000 > 1 ? 2 : 1) \
			" retry=" ($3 ~ /fail_timeout/ ? 10 : 0)
		for (i = 1; i <= n; i++)
			sub(/,.*/, "", peer[i])
		# the first of a pair of requests shall not meet what died in the pool before
		if (match($8, /prime=[0-9]+/)) {
			opts = opts " ttl=" int(substr($8, RSTART + 6, RLENGTH - 6) / 1000) + 1
			print "<Location /" $1 "/>\n\tSetEnv proxy-initial-not-pooled 1\n</Location>"
		}
		if (n == 1) {
			local = peer[1] ~ /^unix:/ ? peer[1] "|" : ""
			print "ProxyPass /" $1 "/ " local url[$9] (local ? "local" : peer[1]) "/" $1 "/" opts
			next
		}
		print "<Proxy balancer://" $1 ">"
		for (i = 1; i <= n; i++)
			print "\tBalancerMember " url[$9] peer[i] opts
		print "</Proxy>\nProxyPass /" $1 "/ balancer://" $1 "/" $1 "/"
	}'
}

apache_conf() {
	local access=''
	[ "$LAB_LOG" = 0 ] || access="CustomLog $state/log/apache.log lab"
	{
		apache_modules
		cat <<-END
		ServerRoot $state/gateway
		DefaultRuntimeDir $state/gateway
		Mutex file:$state/gateway
		PidFile $state/gateway/pid
		ServerName lab
		User $(id -un nobody)
		Group $(id -gn nobody)
		ServerLimit $LAB_WORKERS
		StartServers $LAB_WORKERS
		ThreadLimit 256
		ThreadsPerChild 256
		MaxRequestWorkers $((LAB_WORKERS * 256))
		MinSpareThreads 1
		MaxSpareThreads $((LAB_WORKERS * 256))
		AsyncRequestWorkerFactor 8
		MaxConnectionsPerChild 0
		Listen 8080
		Listen 8081
		Listen 8443
		KeepAlive On
		MaxKeepAliveRequests 5000
		KeepAliveTimeout 60
		Timeout 60
		ProxyTimeout 2
		LogLevel warn
		ErrorLog $state/log/error.log
		ErrorLogFormat "%-P %-T %-L %M"
		LogFormat "%{sec}t.%{msec_frac}t\t%m\t%U\t%>s\t%{BALANCER_WORKER_NAME}e\t%L\t%D\t%B\t%k\t%P\t%{remote}p" lab
		$access
		<Location />
			Require all granted
		</Location>
		END
		apache_routes
		cat <<-END
		SSLProxyEngine On
		SSLProxyCheckPeerCN Off
		SSLProxyCheckPeerName Off
		SSLProxyCheckPeerExpire Off
		<VirtualHost *:8081>
			Protocols h2c http/1.1
		</VirtualHost>
		<VirtualHost *:8443>
			Protocols h2 http/1.1
			SSLEngine On
			SSLCertificateFile $state/tls/cert.pem
			SSLCertificateKeyFile $state/tls/key.pem
		</VirtualHost>
		END
	} >"$state/gateway/httpd.conf"
}

apache_start() { in_gateway "$(apache_binary)" -f "$state/gateway/httpd.conf" -k start; }

# Failed connects by log id, then the peer that was reached: the member the balancer named, or
# the only one; none if the worker was in its error state (AH00940). mod_proxy_http2 tries twice
# on its own and does not say so (ADDRESS+). Over HTTP/2 a 502 gets a
# second line, as mod_http2 makes it a 500: the one with a body is what the client saw, the other
# knows the member of the balancer.
apache_access() {
	awk -F '\t' '
	FILENAME ~ /error.log$/ {
		split($0, word, " ")
		thread = word[1] " " word[2]
		if (match($0, /AH00957: .*attempt to connect to [^ ]+/)) {
			a = substr($0, RSTART, RLENGTH)
			sub(/.* /, "", a)
			connect[thread] = a
		} else if (match($0, /AH02454: .*Unix domain socket [^ ]+/)) {
			a = substr($0, RSTART, RLENGTH)
			sub(/.* /, "unix:", a)
			connect[thread] = a
		} else if (/AH01114/) {
			failed[word[3]] = failed[word[3]] (failed[word[3]] ? ", " : "") connect[thread]
		} else if (/AH00940/) {
			skipped[word[3]] = 1
		}
		next
	}
	FILENAME !~ /apache.log$/ {
		split($0, route, "|")
		n = split(route[3], peer, " ")
		sub(/,.*/, "", peer[1])
		only[route[1]] = n == 1 ? peer[1] : ""
		again[route[1]] = route[9] ~ /^h2/ ? "+" : ""
		next
	}
	NF >= 11 {
		split($3, path, "/")
		list = $6 != "-" ? failed[$6] : ""
		last = only[path[2]]
		if ($5 != "-") {
			last = $5
			sub(/.*\/\//, "", last)
			sub(/\/.*/, "", last)
		}
		if (last == "" || ($6 in skipped) || (list != "" && $4 == 503))
			last = ""
		if (last != "")
			list = list (list != "" ? ", " : "") last again[path[2]]
		if (list != "")
			tried[$3] = list
		if ($3 in line && $8 == 0)
			next
		if (!($3 in line))
			order[++lines] = $3
		line[$3] = $1 "\t" $2 "\t" $3 "\t" $4
		rest[$3] = "-\t" $7 / 1e6 "\t" $8 "\t" $9 "\t" $10 "\t" $11
	}
	END {
		for (i = 1; i <= lines; i++) {
			uri = order[i]
			print line[uri] "\t" (uri in tried ? tried[uri] : "-") "\t" rest[uri]
		}
	}' "$state/log/error.log" <(routes) "$state/log/apache.log"
}
