// SPDX-License-Identifier: Apache-2.0
// The table of all errors: what each means, where it comes from, what to do. docs/errors.md is made
// from it, and `xl explain` prints it. Constant; any thread.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/error_id.hpp"

namespace xl::errors {

struct ErrorRow {
  ErrorId id;
  ErrorCode code;
  std::string_view name;     // of the id, lower case with hyphens
  std::string_view summary;  // one line without a full stop
  std::string_view cause;    // sentences
  std::string_view cure;     // sentences, in the imperative
};

struct ErrorChapter {
  std::string_view title;
  std::string_view introduction;
  std::span<const ErrorRow> rows;
};

constexpr std::size_t chapter_count = 9;
std::array<const ErrorChapter*, chapter_count> chapters();

const ErrorRow& row_of(ErrorId id);
// By name; '_' serves for '-'. Null if there is none.
const ErrorRow* find_row(std::string_view name);

// For a terminal of 80 columns: name and summary, class, cause, cure.
std::string explain(const ErrorRow& row);
// One line for each: name and summary.
std::string list_all();
// docs/errors.md.
std::string markdown();

}  // namespace xl::errors
