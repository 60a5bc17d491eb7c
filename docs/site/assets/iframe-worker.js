// Search runs in a worker, and a browser starts none for a page opened from the disk. There it runs in a hidden
// frame instead, with the same face: messages in, messages out. Anywhere else this file does nothing.
(function () {
  if (location.protocol !== "file:") return;

  function FrameWorker(url) {
    var self = this;
    var bus = document.createElement("span");
    this.addEventListener = bus.addEventListener.bind(bus);
    this.removeEventListener = bus.removeEventListener.bind(bus);
    this.dispatchEvent = bus.dispatchEvent.bind(bus);
    this.onmessage = this.onerror = null;

    var frame = document.createElement("iframe");
    frame.width = frame.height = frame.frameBorder = "0";
    frame.hidden = true;
    document.body.appendChild(frame);
    this.frame = frame;
    var inner = frame.contentWindow;
    this.listen = function (event) {
      if (event.source !== inner) return;
      var told = new MessageEvent("message", { data: event.data });
      self.dispatchEvent(told);
      if (self.onmessage) self.onmessage(told);
    };
    window.addEventListener("message", this.listen);

    this.ready = new Promise(function (resolve) {
      inner.document.open();
      // a worker's names, in a frame: answers go to the page, scripts are loaded one after another
      inner.document.write(
        "<!doctype html><html><body><script>" +
          "postMessage = function (data) { parent.postMessage(data, '*') };" +
          "importScripts = function () { return [].slice.call(arguments).reduce(function (before, src) {" +
          " return before.then(function () { return new Promise(function (done, failed) {" +
          "  var script = document.createElement('script'); script.src = src;" +
          "  script.onload = done; script.onerror = failed; document.body.appendChild(script) }) }) }," +
          " Promise.resolve()) }" +
          "<\/script></body></html>"
      );
      inner.document.close();
      var script = inner.document.createElement("script");
      script.src = url;
      script.onload = resolve;
      // the worker looks for its own address in the first script that has one
      inner.document.body.appendChild(script);
    });
  }
  FrameWorker.prototype.postMessage = function (data) {
    var inner = this.frame.contentWindow;
    this.ready.then(function () {
      var told = new inner.MessageEvent("message", { data: data });
      inner.dispatchEvent(told);
    });
  };
  FrameWorker.prototype.terminate = function () {
    window.removeEventListener("message", this.listen);
    this.frame.remove();
  };
  window.IFrameWorker = window.Worker = FrameWorker;
})();
