// A form that comes back: the focus stands in the first field that is to be mended, not at the top of the page.
(() => {
  "use strict";
  document.querySelector("#main .field.wrong :is(input, select, textarea):not([type=hidden])")?.focus();
})();
