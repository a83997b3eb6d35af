// The routes of the API under load, as tests/load/failover.jmx sends it, for k6.
//
//   k6 run -e HOST=127.0.0.1 -e PORT=40123 tests/load/failover.js
//
// PROTOCOL, HOST, PORT; THREADS (users of each route; SLEEP_THREADS, ROOT_THREADS … for one), RAMP and DURATION in
// seconds, PAUSE in milliseconds.
import http from "k6/http";
import { check, sleep } from "k6";

const ROUTES = {
  root: { path: "/", says: /"message":\s*"healthy"/ },
  bang: { path: "/bang", says: /"message":\s*"boom"/ },
  pong: { path: "/pong", says: /"message":\s*"ping"/ },
  sleep: { path: "/sleep", says: /"message":\s*"awaken"/ },
  env: { path: "/env", says: /"message":\s*"(lambda|server)"/ },
};

const given = (name, otherwise) => __ENV[name] || otherwise;
const base = `${given("PROTOCOL", "http")}://${given("HOST", "127.0.0.1")}:${given("PORT", "80")}`;
const ramp = Number(given("RAMP", "10"));
const duration = Number(given("DURATION", "60"));
const pause = Number(given("PAUSE", "100")) / 1000;

function users(name) {
  const threads = Number(given(`${name.toUpperCase()}_THREADS`, given("THREADS", "10")));
  return {
    executor: "ramping-vus",
    exec: "ask",
    env: { ROUTE: name },
    startVUs: 0,
    stages: [
      { duration: `${ramp}s`, target: threads },
      { duration: `${Math.max(0, duration - ramp)}s`, target: threads },
      { duration: "0s", target: 0 },
    ],
    // A request that is being answered when time is up is waited for, longer than any answer takes.
    gracefulRampDown: "65s",
    gracefulStop: "65s",
  };
}

const threadsOf = (scenario) => scenario.stages[0].target;

export const options = {
  scenarios: Object.fromEntries(
    Object.keys(ROUTES)
      .map((name) => [name, users(name)])
      .filter(([, scenario]) => threadsOf(scenario) > 0),
  ),
  // A load balancer's addresses change.
  dns: { ttl: "1s", select: "random" },
  summaryTrendStats: ["count", "avg", "med", "p(90)", "p(95)", "p(99)", "max"],
  // A line of the summary for each route.
  thresholds: Object.fromEntries(
    Object.keys(ROUTES).flatMap((name) => [
      [`http_req_duration{scenario:${name}}`, ["max>=0"]],
      [`http_req_failed{scenario:${name}}`, ["rate>=0"]],
    ]),
  ),
};

export function ask() {
  const route = ROUTES[__ENV.ROUTE];
  const answer = http.get(base + route.path, { timeout: "65s", redirects: 0, tags: { name: route.path } });
  check(answer, { "answers what it should": (r) => r.status === 200 && route.says.test(r.body) });
  sleep(pause);
}
