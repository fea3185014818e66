// The two doors that the toolstack works through.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/domain/system.hpp"

namespace px::domain {

call::Outcome<System> System::open() {
    auto privcmd = TRY(call::Privcmd::open());  // first: without a hypervisor there is no xenstored either
    return System{std::move(privcmd), TRY(store::Client::open(store::Client::Via::socket))};
}

}  // namespace px::domain
