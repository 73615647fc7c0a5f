// SPDX-License-Identifier: Apache-2.0
#include "base/errors/catalogue.hpp"

#include <algorithm>

#include "base/errors/chapters.hpp"

namespace xl {

ErrorCode code_of(ErrorId id) {
  return errors::row_of(id).code;
}

std::string_view to_string(ErrorId id) {
  return errors::row_of(id).name;
}

namespace errors {

std::array<const ErrorChapter*, chapter_count> chapters() {
  return {&command_line, &daemon, &hypervisor, &config, &images, &domains, &api, &system, &general};
}

const ErrorRow& row_of(ErrorId id) {
  for (const ErrorChapter* chapter : chapters()) {
    for (const ErrorRow& row : chapter->rows) {
      if (row.id == id) {
        return row;
      }
    }
  }
  return row_of(ErrorId::internal);  // the unit test holds that each has a row
}

const ErrorRow* find_row(std::string_view name) {
  std::string wanted(name);
  std::replace(wanted.begin(), wanted.end(), '_', '-');
  for (const ErrorChapter* chapter : chapters()) {
    for (const ErrorRow& row : chapter->rows) {
      if (row.name == wanted) {
        return &row;
      }
    }
  }
  return nullptr;
}

}  // namespace errors
}  // namespace xl
