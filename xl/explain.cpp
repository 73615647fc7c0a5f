// SPDX-License-Identifier: Apache-2.0
// xl explain: the table of errors. Asks nobody, so that it works when nothing else does.
#include <nlohmann/json.hpp>

#include "base/errors/catalogue.hpp"
#include "xl/command.hpp"
#include "xl/format/json.hpp"
#include "xl/options.hpp"
#include "xl/output.hpp"

namespace xl::cli {
namespace {

using nlohmann::json;

json to_json(const errors::ErrorRow& row) {
  return {{"id", row.name},
          {"code", to_string(row.code)},
          {"summary", row.summary},
          {"cause", row.cause},
          {"cure", row.cure}};
}

json all_json() {
  json list = json::array();
  for (const errors::ErrorChapter* chapter : errors::chapters()) {
    for (const errors::ErrorRow& row : chapter->rows) {
      list.push_back(to_json(row));
    }
  }
  return list;
}

}  // namespace

Outcome<void> run_explain(const Arguments& arguments) {
  XL_TRY_ASSIGN(const Options options, Options::parse(arguments, "", {{"json", 'j'}}));
  XL_TRY(options.need_words(0, 1));
  if (options.words().empty()) {
    print(options.has('j') ? indented(all_json()) : errors::list_all());
    return {};
  }
  std::string_view name = options.words()[0];
  if (name.size() > 2 && name.starts_with('[') && name.ends_with(']')) {
    name = name.substr(1, name.size() - 2);  // as it stands in an error line
  }
  const errors::ErrorRow* row = errors::find_row(name);
  if (row == nullptr) {
    return Unexpected(Failure(
        Exit::not_found, ErrorId::not_found,
        "there is no error '" + std::string(name) + "'; `xl explain` lists all that there are"));
  }
  print(options.has('j') ? indented(to_json(*row)) : errors::explain(*row));
  return {};
}

}  // namespace xl::cli
