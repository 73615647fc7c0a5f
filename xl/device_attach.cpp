// SPDX-License-Identifier: Apache-2.0
// xl block-attach and network-attach: with -N they print what a specification means, as libxl's
// JSON. There are no device backends yet.
#include "xl/command.hpp"
#include "xl/message.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

Outcome<void> attach(const Arguments& arguments, std::string_view kind, std::size_t least_words,
                     std::string_view why_not) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, ""));
  XL_TRY(options.need_words(least_words, static_cast<std::size_t>(-1)));
  if (!arguments.dry_run) {
    return Unexpected(Failure(Exit::failure, ErrorId::command_refused,
                              std::string(arguments.command) + ": " + std::string(why_not) +
                                  "; with `xl -N` it shows " + "what the specification means"));
  }
  const std::vector<std::string> spec(options.words().begin() + 1, options.words().end());
  XL_TRY_ASSIGN(api::Client client, connect());
  XL_TRY(check_target(client, options.words()[0]));
  XL_TRY_ASSIGN(const api::ParsedDevice device, client.parse_device(kind, spec));
  print_findings(device.rendered_warnings);
  print(device.libxl_json + "\n");
  return {};
}

}  // namespace

Outcome<void> run_block_attach(const Arguments& arguments) {
  return attach(arguments, "disk", 2,
                "there is no block backend yet; give the guest its files in its ramdisk");
}

Outcome<void> run_network_attach(const Arguments& arguments) {
  return attach(arguments, "vif", 1,
                "there is no network backend yet; reach the guest by `xl console`");
}

}  // namespace xl::cli
