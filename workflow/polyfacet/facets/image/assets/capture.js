/* Takes pictures of the viewer, one after another: polyfacet.captureAll(viewerId, [[token, scene], ...]) resolves to
   one object per scene, {token, picture, width, height, drawn, expected}: the picture as a PNG data URL, the numbers
   of atoms and bonds that were drawn and that the scene contains.  It stops at the first failure, with
   {token, reason}. */
window.polyfacet = (() => {
  let pending = null; // {token, resolve, reject} of the picture that is being taken
  let fault = null; // why this page can take no more pictures
  let latest = null; // {token, answers} of the latest request
  let drawing = false;
  let drawn = 0; // spheres and cylinders since the canvas was last cleared
  let members = 1; // spheres or cylinders of the mesh that is drawn next

  /* The viewer redraws when the scene or the camera changes and again after each picture. On a software
     renderer, drawing is most of the work, so only the drawing for a picture is executed. */
  const { drawArrays, drawElements, clear } = WebGL2RenderingContext.prototype;
  const { toDataURL } = HTMLCanvasElement.prototype;
  WebGL2RenderingContext.prototype.drawArrays = function (...parameters) {
    if (drawing) drawArrays.apply(this, parameters);
  };
  WebGL2RenderingContext.prototype.drawElements = function (...parameters) {
    if (!drawing) return;
    drawElements.apply(this, parameters);
    drawn += members; // only spheres and cylinders have indexed vertices
    members = 1;
  };
  WebGL2RenderingContext.prototype.clear = function (mask) {
    if (mask & this.COLOR_BUFFER_BIT) drawn = 0;
    clear.call(this, mask);
  };
  HTMLCanvasElement.prototype.toDataURL = function (...parameters) {
    drawing = false;
    return toDataURL.apply(this, parameters);
  };

  // The viewer logs a lot about each scene, and the driver would fetch all of it from the page.
  for (const level of ["log", "warn", "error"]) console[level] = () => {};

  function fail(reason) {
    fault = fault ?? reason;
    settle("reject", new Error(fault));
  }

  function settle(outcome, value) {
    drawing = false;
    const settled = pending;
    pending = null;
    settled?.[outcome](value);
  }

  window.addEventListener("error", (event) => fail(`page error: ${event.message}`));
  window.addEventListener("unhandledrejection", (event) => fail(`page error: ${event.reason}`));
  document.addEventListener("webglcontextlost", () => fail("WebGL context lost"), true);

  /* The token is a label in the scene. Labels are drawn together with the scene, but as text outside the canvas:
     the picture does not show the token, and its text exists only if this very scene has been drawn. */
  function takeLabel(token) {
    const labels = [...document.querySelectorAll(".tooltip")].filter((label) => label.textContent === token);
    labels.forEach((label) => label.remove());
    return labels.length > 0;
  }

  function deliver(picture, request) {
    if (pending === null || request?.token !== pending.token) return window.dash_clientside.no_update;
    if (!takeLabel(pending.token)) {
      fail("the viewer did not draw the scene it was given");
    } else {
      const { width, height } = document.querySelector("canvas");
      settle("resolve", { picture, width, height, drawn });
    }
    return window.dash_clientside.no_update;
  }

  /* Number of spheres and cylinders in a scene, without the axes, which are drawn in a corner or not at all. */
  function countOf(scene) {
    if (scene.name === "axes") return 0;
    if (scene.type === "spheres") return scene.positions.length;
    if (scene.type === "cylinders") return scene.positionPairs.length;
    return (scene.contents ?? []).reduce((count, part) => count + countOf(part), 0);
  }

  async function capture(viewerId, token, scene) {
    if (fault !== null) throw new Error(fault);
    const data = JSON.parse(scene);
    window.polyfacet.simplify?.();
    data.contents.push({ name: "identity", contents: [{ type: "labels", label: token }] });
    const taken = new Promise((resolve, reject) => (pending = { token, resolve, reject }));
    window.dash_clientside.set_props(viewerId, { data });
    // Lets the viewer process the scene first; if it were late, it would only draw once more than needed.
    await new Promise((resume) => setTimeout(resume));
    drawing = true;
    window.dash_clientside.set_props(viewerId, { imageRequest: { filetype: "png", token } });
    return { ...(await taken), expected: countOf(data) };
  }

  // A caller that gave up waiting may request the same pictures again.
  function captureAll(viewerId, scenes) {
    const [[token]] = scenes;
    if (latest?.token !== token) latest = { token, answers: takeAll(viewerId, scenes) };
    return latest.answers;
  }

  async function takeAll(viewerId, scenes) {
    const answers = [];
    for (const [token, scene] of scenes) {
      try {
        answers.push({ token, ...(await capture(viewerId, token, scene)) });
      } catch (error) {
        answers.push({ token, reason: error.message });
        break;
      }
    }
    return answers;
  }

  return {
    captureAll,
    deliver,
    isDrawing: () => drawing,
    expectMembers: (number) => (members = number),
  };
})();
