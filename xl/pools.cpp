// SPDX-License-Identifier: Apache-2.0
// cpupool-list: the one pool. claims, sharing, getenforce: what stock xl prints where nothing is
// claimed, shared or enforced.
#include "xl/command.hpp"
#include "xl/format/domains.hpp"
#include "xl/format/host.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {

Outcome<void> run_cpupool_list(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "c", {{"cpus", 'c'}, {"json", 'j'}}));
  XL_TRY(options.need_words(0, 1));
  if (!options.words().empty()) {
    const std::string& pool = options.words()[0];
    if (pool != only_pool && pool != "0") {
      return Unexpected(
          Failure(Exit::not_found, ErrorId::not_found,
                  "there is no CPU pool '" + pool + "': all CPUs are in one, " + only_pool));
    }
  }
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const api::HostView host, client.host());
  XL_TRY_ASSIGN(const std::vector<api::DomainView> domains, client.list());
  print(options.has('j')   ? pool_json(host.cpus, domains.size())
        : options.has('c') ? pool_cpus(host.cpus)
                           : pool_table(host.cpus, domains.size()));
  return {};
}

Outcome<void> run_claims(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(0, 0));
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY_ASSIGN(const std::vector<api::DomainView> domains, client.list());
  ListColumns columns;
  columns.claims = true;
  print(domain_table(domains, columns));
  return {};
}

Outcome<void> run_sharing(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(0, 1));
  XL_TRY_ASSIGN(api::Client client, connect());
  std::vector<api::DomainView> domains;
  if (options.words().empty()) {
    XL_TRY_ASSIGN(domains, client.list());
  } else {
    XL_TRY_ASSIGN(api::DomainView domain, client.find(options.words()[0]));
    domains.push_back(std::move(domain));
  }
  print(sharing_table(domains));
  return {};
}

Outcome<void> run_getenforce(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(0, 0));
  print("Flask XSM Disabled\n");
  return {};
}

}  // namespace xl::cli
