// SPDX-License-Identifier: Apache-2.0
// xl-bench-xenstore: how long a read and a write through the store's socket take, by how many
// domains of 20 nodes each are there. A process serves, another asks, as with the real daemon, with
// the journal. Prints a table, or JSON.
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/scope_exit.hpp"
#include "libxl++/xenstore/server.hpp"
#include "libxl++/xenstore/socket_server.hpp"
#include "libxl++/xenstore/wire.hpp"
#include "libxl++/xenstore/xs_wire.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int nodes_per_domain = 20;

struct Row {
  unsigned domains = 0;
  std::string operation;  // "read", "write", "transaction" (start, read, write, end)
  double p50_us = 0, p99_us = 0;
};

struct Settings {
  std::vector<unsigned> domains = {1, 10, 100, 1000};
  unsigned requests = 5000;
  std::string directory;
  bool json = false;
};

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

void fill(xl::xenstore::Server& store, unsigned domains) {
  for (unsigned domain = 1; domain <= domains; ++domain) {
    std::vector<xl::xenstore::NodeSpec> nodes;
    for (int node = 0; node < nodes_per_domain; ++node) {
      nodes.push_back({fmt::format("/local/domain/{}/device/{}", domain, node), "value", nullptr});
    }
    if (const auto written = store.write(nodes); !written) {
      fmt::print(stderr, "{}\n", describe(written.error()));
    }
  }
}

// The process that serves, until it is killed.
[[noreturn]] void serve(int listener, const std::string& directory, unsigned domains, int ready) {
  std::shared_ptr<xl::xenstore::Server> store = *xl::xenstore::Server::open(directory);
  fill(*store, domains);
  std::vector<xl::UniqueFd> listeners;
  listeners.emplace_back(listener);
  const auto server = *xl::xenstore::SocketServer::create(store, std::move(listeners));
  (void)!::write(ready, "r", 1);
  for (;;) {
    ::pause();
  }
}

class Tool {
 public:
  explicit Tool(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = address_of(path);
    connected_ =
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  std::string ask(std::uint32_t type, const std::string& payload, std::uint32_t transaction = 0) {
    const std::string request = xl::xenstore::encode(type, 1, transaction, payload);
    (void)!::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    char reply[8192];
    std::size_t have = 0;
    std::size_t wanted = xl::xenstore::header_size;
    while (have < wanted) {
      const ssize_t count = ::recv(fd_.get(), reply + have, sizeof reply - have, 0);
      if (count <= 0) {
        return "gone";
      }
      have += static_cast<std::size_t>(count);
      if (have >= xl::xenstore::header_size) {
        const auto head = std::as_bytes(std::span(reply)).first<xl::xenstore::header_size>();
        wanted = xl::xenstore::header_size + xl::xenstore::parse_header(head).length;
      }
    }
    return {reply + xl::xenstore::header_size, have - xl::xenstore::header_size};
  }

 private:
  xl::UniqueFd fd_;
  bool connected_ = false;
};

Row measure(unsigned domains, std::string operation, unsigned requests,
            const std::function<void(unsigned)>& once) {
  std::vector<double> times;
  times.reserve(requests);
  for (unsigned i = 0; i < requests; ++i) {
    const auto start = Clock::now();
    once(i);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return {domains, std::move(operation), times[times.size() / 2], times[times.size() * 99 / 100]};
}

bool measure_domains(const Settings& settings, unsigned domains, std::vector<Row>& rows) {
  const std::string directory = fmt::format("{}/{}", settings.directory, domains);
  const std::string path = directory + "/socket";
  std::filesystem::create_directory(directory);
  const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const sockaddr_un address = address_of(path);
  int ready[2] = {-1, -1};
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 16) != 0 || ::pipe(ready) != 0) {
    std::perror("preparing a socket");
    return false;
  }
  const pid_t server = ::fork();
  if (server == 0) {
    serve(listener, directory, domains, ready[1]);
  }
  ::close(ready[1]);
  const xl::ScopeExit end([&] {
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    ::close(listener);
    ::close(ready[0]);
  });
  char byte = 0;
  Tool tool(path);
  if (::read(ready[0], &byte, 1) != 1 || !tool.connected()) {
    return false;
  }
  const auto node = [&](unsigned i) {
    return fmt::format("/local/domain/{}/device/{}", 1 + i % domains, i % nodes_per_domain) + '\0';
  };
  const auto read = [&](unsigned i) { tool.ask(XS_READ, node(i)); };
  measure(domains, "warm", 500, read);
  rows.push_back(measure(domains, "read", settings.requests, read));
  rows.push_back(measure(domains, "write", settings.requests,
                         [&](unsigned i) { tool.ask(XS_WRITE, node(i) + "new value"); }));
  rows.push_back(measure(domains, "transaction", settings.requests / 4 + 1, [&](unsigned i) {
    const std::string id = tool.ask(XS_TRANSACTION_START, std::string(1, '\0'));
    const auto transaction = static_cast<std::uint32_t>(std::atoi(id.c_str()));
    tool.ask(XS_READ, node(i), transaction);
    tool.ask(XS_WRITE, node(i) + "in it", transaction);
    tool.ask(XS_TRANSACTION_END, std::string("T\0", 2), transaction);
  }));
  return true;
}

void print(const Settings& settings, const std::vector<Row>& rows) {
  if (settings.json) {
    nlohmann::json all = nlohmann::json::array();
    for (const Row& row : rows) {
      all.push_back({{"domains", row.domains},
                     {"operation", row.operation},
                     {"p50_us", row.p50_us},
                     {"p99_us", row.p99_us}});
    }
    std::puts(nlohmann::json({{"xenstore", all}}).dump(2).c_str());
    return;
  }
  fmt::print("{:>8} {:>12} {:>10} {:>10}\n", "domains", "operation", "p50 us", "p99 us");
  for (const Row& row : rows) {
    fmt::print("{:>8} {:>12} {:>10.1f} {:>10.1f}\n", row.domains, row.operation, row.p50_us,
               row.p99_us);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Measure requests to the xenstore through its socket");
  app.add_option("--domains", settings.domains, "numbers of domains")->delimiter(',');
  app.add_option("--requests", settings.requests, "requests per row")
      ->check(CLI::Range(10, 1'000'000));
  app.add_flag("--json", settings.json, "print JSON");
  CLI11_PARSE(app, argc, argv);
  std::string pattern = (std::filesystem::temp_directory_path() / "xl-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    std::perror("mkdtemp");
    return 1;
  }
  settings.directory = pattern;
  std::vector<Row> rows;
  int status = 0;
  for (const unsigned domains : settings.domains) {
    if (domains == 0 || !measure_domains(settings, domains, rows)) {
      status = 1;
      break;
    }
  }
  print(settings, rows);
  std::error_code ignored;
  std::filesystem::remove_all(settings.directory, ignored);
  return status;
}
