// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "libxl++/api/launch.hpp"
#include "libxl++/api/wire_json.hpp"
#include "xl/command.hpp"
#include "xl/format/host.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"
#include "xl/progress.hpp"

namespace xl::cli {
namespace {

Outcome<void> start() {
  XL_TRY(connect());
  return {};
}

Outcome<void> stop(bool all) {
  const Progress progress("stopping xld");
  XL_TRY_ASSIGN(const api::RuntimeDir dir, api::RuntimeDir::from_environment());
  Result<api::Client> client = api::Client::connect_running(dir);
  if (all && !client && client.error().code == ErrorCode::not_found) {
    XL_TRY(api::end_left_domains(dir));  // domains may run without xld
    return {};
  }
  if (!client) {
    // Nothing to stop is what was asked for.
    return client.error().code == ErrorCode::not_found
               ? Outcome<void>()
               : Unexpected(Failure(Exit::unreachable, client.error()));
  }
  XL_TRY(client->stop_daemon(all));
  XL_TRY(client->wait_for_end());
  return {};
}

Outcome<void> status(bool as_json) {
  XL_TRY_ASSIGN(const api::RuntimeDir dir, api::RuntimeDir::from_environment());
  Result<api::Client> client = api::Client::connect_running(dir);
  if (!client) {
    return Unexpected(Failure(Exit::unreachable, client.error()));
  }
  XL_TRY_ASSIGN(const api::DaemonView daemon, client->daemon());
  print(as_json ? api::to_json(daemon).dump(4) + "\n" : daemon_table(daemon));
  return {};
}

}  // namespace

Outcome<void> run_daemon(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "", {{"all", 'a'}, {"json", 'j'}}));
  XL_TRY(options.need_words(1, 1));
  const std::string& what = options.words()[0];
  const bool all = options.has('a');
  const bool json = options.has('j');
  if ((all && what != "stop") || (json && what != "status")) {
    return wrong_usage(std::string(all ? "--all" : "--json") + " does not go with '" + what + "'");
  }
  if (what == "start") {
    return start();
  }
  if (what == "stop") {
    return stop(all);
  }
  if (what == "status") {
    return status(json);
  }
  return wrong_usage("'" + what + "' is none of start, stop, status");
}

}  // namespace xl::cli
