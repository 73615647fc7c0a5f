// SPDX-License-Identifier: Apache-2.0
// What the client's files share: an answer that is not as the API has it is xld's fault.
#pragma once

#include "base/error.hpp"

namespace xl::api {

// The wire's readers complain of bad requests; here it is an answer.
template <typename R>
R as_answer(R result) {
  if (!result && id_of(result.error()) == ErrorId::bad_request) {
    result.error() = make_error(ErrorId::daemon_bad_answer,
                                "xld's answer makes no sense: " + result.error().message,
                                "`xl doctor` compares the versions of xl and xld");
  }
  return result;
}

}  // namespace xl::api
