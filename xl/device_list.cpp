// SPDX-License-Identifier: Apache-2.0
// block-list, network-list and the like. No domain has such devices yet, so that each is the
// heading that stock xl prints; those without one print nothing.
#include <algorithm>
#include <iterator>

#include "xl/command.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

struct Listing {
  std::string_view command;
  std::string_view heading;
};

constexpr Listing listings[] = {
    {"block-list", "Vdev  BE  handle state evt-ch ring-ref BE-path                       \n"},
    {"network-list",
     "Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       "
     "\n"},
    {"channel-list", "Idx BE state evt-ch ring-ref connection                               \n"},
    {"vtpm-list",
     "Idx BE Uuid                                 handle state evt-ch ring-ref BE-path   \n"},
    {"vkb-list",
     "Idx BE handle state evt-ch    ref ID         BE-type    BE-path                       \n"},
    {"vdispl-list", ""},
    {"vsnd-list", ""},
    {"pci-list", "Vdev Device\n"},
    {"usb-list", ""},
};

}  // namespace

Outcome<void> run_device_list(const Arguments& arguments) {
  const auto listing =
      std::find_if(std::begin(listings), std::end(listings),
                   [&arguments](const Listing& each) { return each.command == arguments.command; });
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"json", 'j'}}));
  XL_TRY(options.need_words(1, SIZE_MAX));
  XL_TRY_ASSIGN(api::Client client, connect());
  for (const std::string& domain : options.words()) {
    XL_TRY(client.find(domain));
  }
  print(options.has('j') ? "[]\n" : listing->heading);
  return {};
}

// There are none, and stock xl prints no heading.
Outcome<void> run_pci_assignable_list(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options,
                Options::parse(arguments, "n", {{"show-names", 'n'}, {"json", 'j'}}));
  XL_TRY(options.need_words(0, 0));
  print(options.has('j') ? "[]\n" : "");
  return {};
}

}  // namespace xl::cli
