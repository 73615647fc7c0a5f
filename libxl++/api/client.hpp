// SPDX-License-Identifier: Apache-2.0
// Client: xld's API as functions. Each call is one request on a connection that stays open; the
// two streams take a connection of their own. One thread at a time. Errors: what xld answered;
// io if it went away.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libxl++/api/http_client.hpp"
#include "libxl++/api/runtime_dir.hpp"
#include "libxl++/api/wire.hpp"

namespace xl::api {

struct LogView {
  std::string text;
  std::uint64_t next = 0;
};

using CoreProgress = std::function<void(std::uint64_t pages, std::uint64_t of)>;

// What a refused request's response says.
WireError error_of(const HttpResponse& response);

class Client {
 public:
  // Starts xld if it does not run, and again, once for each call that can be made twice, if it dies
  // under it.
  static Result<Client> connect(const RuntimeDir& dir);
  // Whether connect() started it.
  bool started_daemon() const { return started_; }
  // Error not_found if it does not run.
  static Result<Client> connect_running(const RuntimeDir& dir);

  // --- domains; `domain` is a name or a domid ---
  // If xld dies under it, the error says that the domain was undone; if it exists, a warning says
  // so.
  Answer<CreatedView> create(const CreateRequest& request);
  Answer<CheckedView> check(const CreateRequest& request);
  Answer<ConvertedView> convert(const ConvertRequest& request);
  Answer<ValidatedView> validate(const ValidateRequest& request);
  // One device specification (`kind` is "disk", "vif", ...), in one or more words, and sets of CPUs
  // as for vcpu-pin: read and checked, nothing else.
  Answer<ParsedDevice> parse_device(std::string_view kind, const std::vector<std::string>& words);
  Answer<std::string> parse_cpumap(const std::string& hard, const std::optional<std::string>& soft);
  Answer<std::vector<DomainView>> list();
  Answer<DomainView> find(std::string_view domain);
  // What this very domain printed, as far as xld keeps it in memory.
  Answer<std::string> console_history(std::string_view domain);
  // The kept events with a higher number; lines.
  Answer<std::string> recent_events(std::uint64_t after);
  // What `xl list -l` prints: libxl's JSON of one domain, or of all.
  Answer<std::string> libxl_json(std::optional<std::string_view> domain);
  Answer<void> pause(std::string_view domain);
  Answer<void> unpause(std::string_view domain);
  Answer<void> destroy(std::string_view domain);
  Answer<void> rename(std::string_view domain, std::string_view new_name);
  Answer<MemoryView> memory(std::string_view domain);
  // What it is after.
  Answer<MemoryView> set_memory(std::string_view domain, const MemoryRequest& request);
  // Returns when the guest has taken the request. `action` is "poweroff" or "reboot".
  Answer<void> shutdown(std::string_view domain, std::string_view action, std::uint64_t timeout_ms,
                        bool fall_back_to_trigger);
  // Returns when the guest has done it. Error timeout: it has not, or not wholly.
  Answer<VcpusView> set_vcpus(std::string_view domain, const VcpusRequest& request);
  Answer<void> trigger(std::string_view domain, std::string_view name, std::uint32_t vcpu);
  // Writes its core file to the descriptor, from the beginning on; `compression` is "none", "zstd"
  // or "gzip". Takes a connection of its own.
  Answer<void> dump_core(std::string_view domain, int fd, bool live, std::string_view compression,
                         const CoreProgress& progress);
  Answer<void> sysrq(std::string_view domain, char letter, std::uint64_t timeout_ms);

  // --- scheduling; without a domain: of all ---
  Answer<std::vector<VcpuView>> vcpus(std::optional<std::string_view> domain);
  Answer<void> pin(std::string_view domain, const PinRequest& request);
  Answer<std::vector<ShareView>> scheduling(std::optional<std::string_view> domain);
  Answer<void> set_scheduling(std::string_view domain, std::optional<std::uint32_t> weight,
                              std::optional<std::uint32_t> cap);

  // --- host, images, daemon ---
  Answer<HostView> host();
  Answer<LogView> hypervisor_log();
  Answer<void> clear_hypervisor_log(std::uint64_t before);
  Answer<std::string> inspect(std::string_view path);  // the report, JSON text
  Answer<DaemonView> daemon();
  Answer<std::string> metrics();  // Prometheus' text
  Answer<void> stop_daemon(bool all);
  // After stop_daemon: returns when the process has gone.
  Result<void> wait_for_end();

  // --- streams, on new connections ---
  Answer<ByteStream> attach_console(std::string_view domain);
  // Whether the daemon that served this stream, which has ended, has ended too.
  bool daemon_ended(int stream) const;
  // Lines are for parse_event. With `after`, first the kept events with a higher number.
  Answer<LineStream> events(std::optional<std::uint64_t> after = {});

 private:
  Client(RuntimeDir dir, UniqueFd connection)
      : dir_(std::move(dir)), http_(std::move(connection)) {}
  // --- client_recovery.cpp ---
  Result<void> reconnect();
  Result<HttpResponse> request(std::string_view method, std::string_view target,
                               std::string_view body);

  Result<HttpResponse> post_create(const CreateRequest& create);
  static Answer<CreatedView> created_of(Result<HttpResponse> response);
  Answer<HttpResponse> call(std::string_view method, std::string_view target,
                            std::string_view body = {});

  RuntimeDir dir_;
  HttpClient http_;
  bool started_ = false;
  bool may_start_ = false;  // another xld, if this one dies
};

Result<EventView> parse_event(std::string_view line);

}  // namespace xl::api
